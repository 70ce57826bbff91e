"""The source itself, with or without noise."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import normal
from stimgen.synthesis.starts.base import Start


class SourceStart(Start):
    """The source itself plus normal noise; style transfer often begins so."""

    name: Literal["source"] = "source"
    wants_source: ClassVar[bool] = True
    deviation: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.0
    """Standard deviation of the noise, black being 0 and white 1; without noise all seeds start alike."""

    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return name and deviation."""
        del picture_sha256  # the source is a part of every recipe
        return self.plain()

    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return the source, with the noise that other conditions of source and seed start from."""
        if picture is None or picture.shape != shape:
            raise StimgenError("the start needs the source itself")
        noise = normal(math.prod(shape), "start", *key).reshape(shape)
        started: Pixels = (picture + self.deviation * noise).astype(np.float32)
        return started
