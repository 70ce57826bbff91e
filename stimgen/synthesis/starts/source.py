"""Starts from the source itself, with or without noise."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.model import Number
from stimgen.synthesis.starts.base import Start, draw_normal_noise, require_source


class SourceStart(Start):
    """Adds normal noise to the source itself, as style transfer often does."""

    phrase = "the source image with added Gaussian noise"

    name: Literal["source"] = "source"
    wants_source: ClassVar[bool] = True
    deviation: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.0
    """Standard deviation of the noise, black being 0 and white 1; without noise all seeds start alike."""

    @override
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        started: Pixels = (
            require_source(picture, shape) + self.deviation * draw_normal_noise(shape, key)
        ).astype(np.float32)
        return started
