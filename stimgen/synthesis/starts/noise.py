"""Starts from normally distributed noise."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.model import Number
from stimgen.synthesis.starts.base import Start, draw_normal_noise
from stimgen.synthesis.starts.level import Level, expand_level


class NormalNoise(Start):
    """Draws normal noise, independent for every pixel and channel, from source and seed."""

    phrase = "Gaussian noise"

    name: Literal["noise"] = "noise"
    mean: Level = 0.5
    """Mean, where black is 0 and white is 1: a number, or one for each of red, green and blue."""
    deviation: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.2
    """Standard deviation on the same scale."""

    @override
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        values = self.deviation * draw_normal_noise(shape, key)
        return (expand_level(self.mean, shape[2]) + values).astype(np.float32)
