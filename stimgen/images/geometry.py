"""Where the numbers of feature maps lie in a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceptiveField:
    """Which pixels the positions of a layer see, along either side of the image.

    Attributes
    ----------
    size : int
        Side of what one position sees, in pixels.
    stride : int
        Pixels between what neighbouring positions see.
    first : float
        Centre of what position 0 sees, in pixels; the centre of the first pixel is 0. What lies outside the
        image is padding.
    """

    size: int = 1
    stride: int = 1
    first: float = 0.0

    def after(self, kernel: int, stride: int = 1, padding: int = 0) -> ReceptiveField:
        """Return the field of what a convolution or a pooling makes of these positions.

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
