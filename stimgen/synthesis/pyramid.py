"""Resizes images between the scales of a synthesis."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def shrink_images(images: Tensor, width: int, height: int) -> Tensor:
    """Return `images` (batch x channels x height x width) at a smaller size, antialiased."""
    if images.shape[-2:] == (height, width):
        return images
    return functional.interpolate(
        images, size=(height, width), mode="bilinear", align_corners=False, antialias=True
    )


def enlarge_images(images: Tensor, width: int, height: int) -> Tensor:
    """Return `images` (batch x channels x height x width) at a larger size, bicubic."""
    if images.shape[-2:] == (height, width):
        return images
    return functional.interpolate(images, size=(height, width), mode="bicubic", align_corners=False)
