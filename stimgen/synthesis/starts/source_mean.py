"""The source's mean colour, with noise."""

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


class SourceMean(Start):
    """The source's mean colour everywhere, plus normal noise (Heitz et al. 2021)."""

    name: Literal["source_mean"] = "source_mean"
    wants_source: ClassVar[bool] = True
    deviation: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.01
    """Standard deviation of the noise, black being 0 and white 1."""

    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return name and deviation."""
        del picture_sha256  # the source is a part of every recipe
        return self.plain()

    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return mean and noise, the noise that other conditions of source and seed start from."""
        if picture is None or picture.shape != shape:
            raise StimgenError("the start needs the source itself")
        noise = normal(math.prod(shape), "start", *key).reshape(shape)
        mean = picture.mean(axis=(0, 1), dtype=np.float64)
        started: Pixels = (mean + self.deviation * noise).astype(np.float32)
        return started
