"""Keeps pixels in range by a logistic function."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import Number
from stimgen.synthesis.ranges.base import PixelConstraint


class SigmoidConstraint(PixelConstraint):
    """Makes pixels the logistic function of the variables, so that they always lie between 0 and 1."""

    phrase = "pixel values parameterised by a logistic function"

    name: Literal["sigmoid"] = "sigmoid"
    margin: Annotated[Number, Field(gt=0.0, lt=0.5)] = 0.004
    """At the start of a scale, pixels are brought this far inside: at 0 or 1 they would never move again. The
    default is one level of 8 bits."""

    @override
    def to_pixels(self, variables: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2."""
        # Bits of torch.sigmoid depend on where in memory a number lies, and so on an image's neighbours.
        return 0.5 + 0.5 * torch.tanh(0.5 * variables)

    @override
    def to_variables(self, pixels: Tensor) -> Tensor:
        """Return log(p / (1 - p)), of pixels clipped to [margin, 1 - margin]."""
        return torch.logit(pixels.clamp(self.margin, 1.0 - self.margin))
