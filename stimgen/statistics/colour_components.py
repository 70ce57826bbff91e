"""Finds principal components of a picture's colours."""

from __future__ import annotations

import torch
from torch import Tensor

# Components with a smaller part of the largest variance are rounding errors.
SMALLEST_VARIANCE = 1e-6


def find_components(pixels: Tensor) -> Tensor:
    """Return the weights of colours in principal components of variance one: components x colours.

    `pixels` is one picture: colours x rows x columns. A picture in grey stays as it is. Components that a
    picture in colour does not have, because it looks grey, are zero.
    """
    colours = pixels.shape[0]
    if colours == 1:
        return pixels.new_ones(1, 1)
    # In float64 and without threads: three numbers, on which all others depend.
    values = pixels.detach().cpu().double().flatten(1)
    central = values - values.mean(1, keepdim=True)
    products = (central.unsqueeze(0) * central.unsqueeze(1)).mean(2)
    variances, vectors = torch.linalg.eigh(products)
    scales = torch.where(variances > SMALLEST_VARIANCE * variances[-1], variances.rsqrt(), 0.0)
    components: Tensor = (vectors * scales).T.to(pixels)
    return components
