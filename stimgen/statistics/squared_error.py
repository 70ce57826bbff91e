"""Squared errors in units of the target."""

from __future__ import annotations

from torch import Tensor

# Keeps a source without any structure from dividing by zero.
SMALLEST_NORM = 1e-12


def squared_norms(values: Tensor) -> Tensor:
    """Return the sum of squares of every image's values, never quite zero.

    Parameters
    ----------
    values : Tensor
        Images x whatever.
    """
    return values.square().flatten(1).sum(1).clamp_min(SMALLEST_NORM)


def squared_errors(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the sum of squared differences of every image.

    Parameters
    ----------
    found, wanted : Tensor
        Images x whatever, of one shape.
    """
    return (found - wanted).square().flatten(1).sum(1)
