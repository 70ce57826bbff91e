"""Holds what an objective finds at images, which is all that an optimiser needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Evaluation:
    """Holds the objective at one image each."""

    parts: Tensor
    """Images x (terms + 1): each term's weighted loss, and last the cost of pixels out of range. Their sum is
    the loss."""
    gradient: Tensor
    """The gradient of the sum of `parts` to the variables, in their shape."""

    def clone(self) -> Evaluation:
        """Return a copy that nobody else changes."""
        return Evaluation(self.parts.clone(), self.gradient.clone())

    def select(self, i: int) -> Evaluation:
        """Return the evaluation of the i-th image."""
        return Evaluation(self.parts[i : i + 1], self.gradient[i : i + 1])

    def equals(self, other: Evaluation) -> bool:
        """Return whether all bits are the same, but for the signs of zeros."""
        return torch.equal(self.parts, other.parts) and torch.equal(self.gradient, other.gradient)
