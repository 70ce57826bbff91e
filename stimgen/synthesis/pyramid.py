"""Resizes images between the scales of a synthesis."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def shrink_images(images: Tensor, width: int, height: int) -> Tensor:
    """Return `images` (batch x channels x height x width) at a smaller size, antialiased."""
    if images.shape[-2:] == (height, width):
        return images
    # PyTorch has this for Apple's GPUs since version 2.7 only; it is done once a scale.
    there = images.cpu() if images.device.type == "mps" else images
    smaller: Tensor = functional.interpolate(
        there, size=(height, width), mode="bilinear", align_corners=False, antialias=True
    )
    return smaller.to(images.device)


def enlarge_images(images: Tensor, width: int, height: int) -> Tensor:
    """Return `images` (batch x channels x height x width) at a larger size, bicubic."""
    if images.shape[-2:] == (height, width):
        return images
    return functional.interpolate(images, size=(height, width), mode="bicubic", align_corners=False)
