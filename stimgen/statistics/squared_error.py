"""Computes squared errors, and squared norms to divide them by."""

from __future__ import annotations

from torch import Tensor

# Keeps a source without any structure from dividing by zero.
SMALLEST_NORM = 1e-12


def squared_norms(values: Tensor) -> Tensor:
    """Return the sum of squares of every image's values, never quite zero. The first dimension is images."""
    return values.square().flatten(1).sum(1).clamp_min(SMALLEST_NORM)


def squared_errors(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the sum of squared differences of every image. The first dimension is images."""
    return (found - wanted).square().flatten(1).sum(1)
