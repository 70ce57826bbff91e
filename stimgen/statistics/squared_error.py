"""Computes squared errors, and squared norms to divide them by."""

from __future__ import annotations

import torch
from torch import Tensor

# Keeps a source without any structure from dividing by zero.
SMALLEST_NORM = 1e-12


def squared_norms(values: Tensor) -> Tensor:
    """Return the sum of squares of every image's values, never quite zero. The first dimension is images."""
    return sum_images(values.square()).clamp_min(SMALLEST_NORM)


def squared_errors(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the sum of squared differences of every image. The first dimension is images."""
    return sum_images((found - wanted).square())


def sum_images(values: Tensor) -> Tensor:
    """Return the sum of every image's values. The first dimension is images."""
    return _pair_up(values.flatten(1)).sum(1)[: len(values)]


def compute_image_means(values: Tensor) -> Tensor:
    """Return the mean of every image's values. The first dimension is images."""
    return _pair_up(values.flatten(1)).mean(1)[: len(values)]


def _pair_up(rows: Tensor) -> Tensor:
    """Return rows, a lone one twice.

    Threads divide a single sum among them, but compute each of several sums as a whole: so an image alone
    has the bits that it has among others.
    """
    return rows if len(rows) > 1 else torch.cat([rows, rows])
