"""Computes which pixels the positions of feature maps depend on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceptiveField:
    """Describes, in pixels along either side of the image, what the positions of a layer depend on."""

    size: int = 1
    """Side of the receptive field of one position."""
    stride: int = 1
    """Distance between the receptive fields of neighbouring positions."""
    first: float = 0.0
    """Centre of the receptive field of position 0. The centre of the first pixel is 0; outside is padding."""

    def after(self, kernel: int, stride: int = 1, padding: int = 0) -> ReceptiveField:
        """Return the receptive field after a convolution or a pooling of this layer.

        Examples
        --------
        >>> ReceptiveField().after(3, padding=1).after(2, stride=2)
        ReceptiveField(size=4, stride=2, first=0.5)
        """
        return ReceptiveField(
            self.size + (kernel - 1) * self.stride,
            self.stride * stride,
            self.first + ((kernel - 1) / 2 - padding) * self.stride,
        )
