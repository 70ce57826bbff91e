"""Normally distributed noise."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from stimgen.images.prepare import Pixels
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import normal
from stimgen.synthesis.starts.base import Start
from stimgen.synthesis.starts.level import Level, levels


class Noise(Start):
    """Normal noise, independent for every pixel and channel, keyed by source and seed."""

    name: Literal["noise"] = "noise"
    mean: Level = 0.5
    """Mean, where black is 0 and white is 1: a number, or one for each of red, green and blue."""
    deviation: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.2
    """Standard deviation on the same scale."""

    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return name, mean and deviation."""
        del picture_sha256  # noise reads no picture
        return self.plain()

    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return the noise: the same for all conditions of one source and seed."""
        del picture
        values = normal(math.prod(shape), "start", *key).reshape(shape)
        noise: Pixels = (levels(self.mean, shape[2]) + self.deviation * values).astype(np.float32)
        return noise
