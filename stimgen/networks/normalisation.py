"""Turns images into the values that a network was trained with."""

from __future__ import annotations

import torch
from torch import Tensor

from stimgen.networks.base import DeviceSpec

Colours = tuple[float, float, float]
# Mean and standard deviation of ImageNet's sRGB values, with which torchvision's networks are trained.
MEAN: Colours = (0.485, 0.456, 0.406)
DEVIATION: Colours = (0.229, 0.224, 0.225)


class Normalisation:
    """Subtracts a mean from red, green and blue, and divides by a deviation."""

    def __init__(
        self,
        spec: DeviceSpec,
        numbers: tuple[Colours, Colours] = (MEAN, DEVIATION),
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        # Channels-last is the faster layout for convolutions, on processors and on GPUs.
        self._dtype, self._format = spec.dtype, memory_format
        self._mean, self._deviation = (
            torch.tensor(one, device=spec.device).view(1, len(one), 1, 1) for one in numbers
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Return batch x 3 x height x width, in the precision that the network computes in."""
        # A grey image is copied to the three inputs (Wallis et al. 2017).
        maps = (images.expand(-1, 3, -1, -1) - self._mean) / self._deviation
        return maps.to(self._dtype, memory_format=self._format)
