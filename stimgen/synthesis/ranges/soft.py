"""Penalises pixels outside of black and white."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import Number
from stimgen.statistics.squared_error import compute_image_means
from stimgen.synthesis.ranges.base import PixelConstraint


class SoftPenalty(PixelConstraint):
    """Lets pixels leave [0, 1] at a cost; values still outside at the end are clipped."""

    phrase = "a penalty on pixel values outside the displayable range"

    name: Literal["soft"] = "soft"
    penalty: Annotated[Number, Field(ge=0.0)] = 10.0
    """Weight of the mean squared excess of pixels outside [0, 1]."""

    @override
    def cost(self, pixels: Tensor) -> Tensor:
        outside = torch.relu(-pixels) + torch.relu(pixels - 1.0)
        return self.penalty * compute_image_means(outside.square())
