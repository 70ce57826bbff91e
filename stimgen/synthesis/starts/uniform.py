"""Starts from uniformly distributed noise."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import uniform
from stimgen.synthesis.starts.base import Start
from stimgen.synthesis.starts.level import Level, expand_level


class UniformNoise(Start):
    """Draws uniform noise, independent for every pixel and channel, from source and seed."""

    phrase = "uniform noise"

    name: Literal["uniform"] = "uniform"
    mean: Level = 0.5
    """Mean, where black is 0 and white is 1: a number, or one for each of red, green and blue."""
    half_width: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.5
    """From the mean to the lowest and to the highest value, on the same scale."""

    @override
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        values = 2.0 * uniform(math.prod(shape), "start", *key).reshape(shape) - 1.0
        return (expand_level(self.mean, shape[2]) + self.half_width * values).astype(np.float32)
