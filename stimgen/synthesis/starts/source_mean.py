"""Starts from the source's mean colour, with noise."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.model import Number
from stimgen.synthesis.starts.base import Start, draw_normal_noise, require_source


class SourceMeanStart(Start):
    """Adds normal noise to the source's mean colour everywhere (Heitz et al. 2021)."""

    phrase = "the mean colour of the source image with added Gaussian noise"
    papers = ("heitz2021",)

    name: Literal["source_mean"] = "source_mean"
    wants_source: ClassVar[bool] = True
    deviation: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.01
    """Standard deviation of the noise, black being 0 and white 1."""

    @override
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        mean = require_source(picture, shape).mean(axis=(0, 1), dtype=np.float64)
        started: Pixels = (mean + self.deviation * draw_normal_noise(shape, key)).astype(np.float32)
        return started
