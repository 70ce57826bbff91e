"""Represents a picture with a mask, shown before a grey background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Encoding, Light, Plane, from_light, luminance, to_light
from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError

# Values that leave [0, 1] by no more than half a level of 16 bits do not count as clipped.
NEGLIGIBLE = 0.5 / 65535
HIDDEN = 0.01  # at lower weights, rounding leaves nothing of the picture


@dataclass(frozen=True)
class ScreenSpec:
    """Describes what pictures are shown on."""

    encoding: Encoding = "srgb"
    """How values represent light."""
    background: float = 0.5
    """Encoded value of the grey around and behind pictures."""


@dataclass(frozen=True, eq=False)
class MaskedPicture:
    """Represents a complete picture and how much of every pixel is visible.

    Steps that hide parts change only the weights, so that the values below soft edges remain known. Values
    may leave [0, 1] until the end, when they are clipped and counted.
    """

    pixels: Pixels
    """Height x width x channels, encoded."""
    weights: Plane
    """Height x width, in [0, 1]: 1 where the picture is visible, 0 where the background is."""
    screen: ScreenSpec

    @classmethod
    def from_pixels(cls, pixels: Pixels, screen: ScreenSpec) -> MaskedPicture:
        """Return a picture that is completely visible."""
        return cls(pixels, np.ones(pixels.shape[:2]), screen)

    @property
    def light(self) -> Light:
        """Return the light of the picture without its mask."""
        return to_light(self.pixels, self.screen.encoding)

    def with_light(self, light: Light) -> MaskedPicture:
        """Return the picture with other light."""
        return replace(self, pixels=from_light(light, self.screen.encoding))

    def apply_mask(self, weights: Plane) -> MaskedPicture:
        """Return the picture with its weights multiplied by `weights`."""
        return replace(self, weights=self.weights * weights)

    def compute_mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of values, height x width (x channels), weighted by the mask."""
        total = self.weights.sum()
        if total == 0.0:
            raise StimgenError("nothing of the picture is visible")
        weights = self.weights if values.ndim == 2 else self.weights[:, :, np.newaxis]
        mean: NDArray[np.float64] = (values * weights).sum((0, 1)) / total
        return mean

    def mean_luminance(self) -> float:
        """Return the mean luminance of the visible part; white is 1."""
        return float(self.compute_mean(luminance(self.light)))

    def rms_contrast(self) -> float:
        """Return the visible part's RMS contrast: standard deviation over mean of luminance."""
        values = luminance(self.light)
        mean = self.compute_mean(values)
        if mean <= 0.0:
            raise StimgenError("the picture is black, so that it has no contrast")
        return float(np.sqrt(self.compute_mean((values - mean) ** 2)) / mean)

    def uncover(self, shown: Pixels) -> MaskedPicture:
        """Return the picture with this mask that `render` turns into `shown`, as far as the mask lets it see.

        What the mask hides almost completely is as it is shown.
        """
        if (self.weights == 1.0).all():
            return replace(self, pixels=shown)
        weights = self.weights[:, :, np.newaxis]
        behind = to_light(np.full_like(shown, self.screen.background), self.screen.encoding)
        light = to_light(shown, self.screen.encoding)
        seen = weights > HIDDEN
        whole = np.where(seen, behind + (light - behind) / np.where(seen, weights, 1.0), light)
        pixels = np.where(weights == 1.0, shown, from_light(whole, self.screen.encoding))
        return replace(self, pixels=pixels)

    def render(self) -> Pixels:
        """Return the picture before the background; soft edges mix light."""
        return blend_over(self, np.full_like(self.pixels, self.screen.background))


@dataclass(frozen=True)
class PictureAndSource:
    """Holds a picture and the source it is compared with, of the same shape and with the same mask."""

    picture: MaskedPicture
    source: MaskedPicture


def blend_over(picture: MaskedPicture, ground: Pixels) -> Pixels:
    """Return a picture before `ground` of the same shape; fully visible pixels keep their exact values."""
    weights = picture.weights[:, :, np.newaxis]
    if (weights == 1.0).all():
        return picture.pixels
    encoding = picture.screen.encoding
    behind = to_light(ground, encoding)
    mixed = from_light(behind + weights * (picture.light - behind), encoding)
    return np.where(weights == 1.0, picture.pixels, np.where(weights == 0.0, ground, mixed))


def measure_clipping(pixels: Pixels) -> float:
    """Return the fraction of values that leave [0, 1] by more than half a level of 16 bits."""
    return float(np.mean((pixels < -NEGLIGIBLE) | (pixels > 1.0 + NEGLIGIBLE)))
