"""Pixels as the logistic function of what is optimised."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Number
from stimgen.synthesis.ranges.base import PixelConstraint


class SigmoidConstraint(PixelConstraint):
    """Pixels are the logistic function of what is optimised: between 0 and 1, whatever that is."""

    phrase = "pixel values parameterised by a logistic function"

    name: Literal["sigmoid"] = "sigmoid"
    margin: Annotated[Number, Field(gt=0.0, lt=0.5)] = 0.004
    """Where a scale begins, pixels are brought so far inside: those at 0 or 1 would never move again. The
    usual is one level of 8 bits."""

    def pixels(self, variables: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2."""
        # Bits of torch.sigmoid depend on where in memory a number lies, and so on an image's neighbours.
        return 0.5 + 0.5 * torch.tanh(0.5 * variables)

    def variables(self, pixels: Tensor) -> Tensor:
        """Return log(p / (1 - p)), of pixels clipped to [margin, 1 - margin]."""
        return torch.logit(pixels.clamp(self.margin, 1.0 - self.margin))
