"""Represents frames: the pixels of the whole screen, most of which are background."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ByteImage = NDArray[np.uint8]

DARK = 110
"""On backgrounds below this level letters and lines are white, otherwise black."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Represents what is on the screen at one time."""

    size: tuple[int, int]
    """Width and height of the screen in pixels."""
    background: tuple[int, int, int]
    """Red, green and blue, 0 to 255, wherever `pixels` are not."""
    left: int
    """Where `pixels` begin, from the screen's left edge."""
    top: int
    """Where `pixels` begin, from the screen's upper edge."""
    pixels: ByteImage
    """Height x width x 3: the smallest rectangle that holds all that was drawn; 0 x 0 x 3 if nothing was."""

    @classmethod
    def blank(cls, size: tuple[int, int], background: tuple[int, int, int]) -> Frame:
        """Return a frame that is all background."""
        return cls(size, background, 0, 0, np.zeros((0, 0, 3), np.uint8))

    @cached_property
    def sha256(self) -> str:
        """Hash of size, background, place and pixels, and thus of every pixel of the screen.

        It is computed once, because hashing a large frame takes longer than a refresh of the screen.
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
