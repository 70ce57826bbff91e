"""A frame: the pixels of the whole screen, of which most are background."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ByteImage = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """What is on the screen at one time.

    Attributes
    ----------
    size : tuple of int
        Width and height of the screen, in pixels.
    background : tuple of int
        Red, green and blue, 0 to 255, of all that `pixels` does not cover.
    left, top : int
        Where `pixels` begins, in pixels from the screen's upper left corner.
    pixels : array
        Height x width x 3, uint8: the smallest rectangle that holds all that was painted on the
        background. 0 x 0 where nothing was.
    """

    size: tuple[int, int]
    background: tuple[int, int, int]
    left: int
    top: int
    pixels: ByteImage

    @cached_property
    def sha256(self) -> str:
        """Hash of size, background, place and pixels; it holds for every pixel of the screen.

        It is computed once, because a large frame's takes longer than a refresh of the screen.
        """
        height, width = self.pixels.shape[:2]
        numbers = [*self.size, *self.background, self.left, self.top, width, height]
        digest = hashlib.sha256(",".join(map(str, numbers)).encode("ascii") + b"\n")
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        return digest.hexdigest()

    def canvas(self) -> ByteImage:
        """Return the whole screen: height x width x 3."""
        width, height = self.size
        canvas = np.empty((height, width, 3), np.uint8)
        canvas[:] = self.background
        tall, wide = self.pixels.shape[:2]
        canvas[self.top : self.top + tall, self.left : self.left + wide] = self.pixels
        return canvas
