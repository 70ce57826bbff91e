"""Reads a level of a start image: one number for all colours, or one for each."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Tag

from stimgen.reading.model import Number

LevelPart = Annotated[Number, Field(ge=0.0, le=1.0)]

Level = Annotated[
    Annotated[LevelPart, Tag("number")] | Annotated[tuple[LevelPart, LevelPart, LevelPart], Tag("colours")],
    Discriminator(lambda value: "colours" if isinstance(value, (list, tuple)) else "number"),
]


def expand_level(level: float | tuple[float, float, float], channels: int) -> NDArray[np.float64]:
    """Return one number for each channel; a grey start has the mean of three.

    Examples
    --------
    >>> expand_level((0.25, 0.5, 0.75), 1)
    array([0.5])
    """
    given = np.asarray(level, dtype=np.float64).reshape(-1)
    return np.full(channels, given.mean()) if channels == 1 else np.broadcast_to(given, (channels,))
