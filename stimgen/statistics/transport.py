"""Computes optimal transport between normal distributions."""

from __future__ import annotations

import torch
from torch import Tensor

from stimgen.computation.precision import move_to_processor

# Directions with less than this part of the largest variance are treated as rounding error.
SMALLEST_VARIANCE = 1e-10


def interpolate_covariances(first: Tensor, second: Tensor, weight: float) -> Tensor:
    """Return the covariances of the normal distributions on the shortest path from `first` to `second`.

    The path is shortest by the 2-Wasserstein distance (McCann 1997; for textures Vacher et al. 2020): with T
    the map that transports one distribution onto the other, ((1 - t) I + t T) C ((1 - t) I + t T). `first`
    and `second` are ... x n x n, symmetric and without negative eigenvalues; `weight` is t, from 0 to 1. The
    computation is in float64, on the processor: not all devices have that, or eigenvectors.
    """
    c, d = (move_to_processor(values).double() for values in (first, second))
    root, inverse = _square_roots(c)
    middle, _ = _square_roots(root @ d @ root)
    product = root @ middle @ inverse  # C T; T C is its transpose
    between = (1 - weight) ** 2 * c + weight**2 * d
    between = between + weight * (1 - weight) * (product + product.transpose(-1, -2))
    return between.to(first)


def _square_roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the square root of a covariance, and that of its inverse, as far as it has one."""
    values, vectors = torch.linalg.eigh((matrix + matrix.transpose(-1, -2)) / 2)
    smallest = SMALLEST_VARIANCE * values.amax(-1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    kept = values > smallest
    roots = torch.where(kept, values, 0.0).sqrt()
    inverses = torch.where(kept, values, 1.0).rsqrt() * kept
    turned = vectors.transpose(-1, -2)
    return (vectors * roots.unsqueeze(-2)) @ turned, (vectors * inverses.unsqueeze(-2)) @ turned
