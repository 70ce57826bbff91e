"""A picture on its way to a screen: values, where they are seen, and on what ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Encoding, Light, from_light, luminance, to_light
from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError

# Beyond [0, 1] by no more than this, half a level of 16 bits, no value is called clipped.
NEGLIGIBLE = 0.5 / 65535


@dataclass(frozen=True)
class ScreenSpec:
    """What pictures are shown on.

    Attributes
    ----------
    encoding : {"srgb", "linear"}
        How its numbers mean light.
    background : float
        Encoded value of the grey around and behind pictures.
    """

    encoding: Encoding = "srgb"
    background: float = 0.5


@dataclass(frozen=True, eq=False)
class MaskedPicture:
    """A picture, whole, and how much of it is seen where.

    Steps that hide parts of it change the weights only, so that what lies below soft edges is still known.
    Values may leave [0, 1] on the way; what is outside at the end is clipped, and counted then.

    Attributes
    ----------
    pixels : Pixels
        Height x width x channels, encoded.
    weights : array
        Height x width, in [0, 1]: 1 where the picture is seen, 0 where the background is.
    screen : ScreenSpec
        What it is shown on.
    """

    pixels: Pixels
    weights: NDArray[np.float64]
    screen: ScreenSpec

    @classmethod
    def unmasked(cls, pixels: Pixels, screen: ScreenSpec) -> MaskedPicture:
        """Return a picture of which all is seen."""
        return cls(pixels, np.ones(pixels.shape[:2]), screen)

    @property
    def light(self) -> Light:
        """Height x width x channels, 1 for white, as if all were seen."""
        return to_light(self.pixels, self.screen.encoding)

    def with_light(self, light: Light) -> MaskedPicture:
        """Return the picture with other light."""
        return replace(self, pixels=from_light(light, self.screen.encoding))

    def apply_mask(self, weights: NDArray[np.float64]) -> MaskedPicture:
        """Return the picture behind another aperture, in addition to those it is behind already."""
        return replace(self, weights=self.weights * weights)

    def weighted_mean(self, values: Light) -> Light:
        """Return the weighted mean of values, height x width (x channels), over the picture.

        Raises
        ------
        StimgenError
            Nothing of the picture is seen.
        """
        total = self.weights.sum()
        if total == 0.0:
            raise StimgenError("nothing of the picture is seen")
        weights = self.weights if values.ndim == 2 else self.weights[:, :, np.newaxis]
        found: Light = (values * weights).sum((0, 1)) / total
        return found

    def mean_luminance(self) -> float:
        """Return the mean luminance of what is seen; white is 1."""
        return float(self.weighted_mean(luminance(self.light)))

    def rms_contrast(self) -> float:
        """Return the RMS contrast of what is seen: standard deviation over mean of luminance (Peli 1990).

        Raises
        ------
        StimgenError
            The picture is black.
        """
        values = luminance(self.light)
        mean = self.weighted_mean(values)
        if mean <= 0.0:
            raise StimgenError("the picture is black, so that it has no contrast")
        return float(np.sqrt(self.weighted_mean((values - mean) ** 2)) / mean)

    def render(self) -> Pixels:
        """Return what is seen: the picture and, where it is not, the background; soft edges mix light."""
        ground = np.full_like(self.pixels, self.screen.background)
        return blend_over(self, ground)


@dataclass(frozen=True)
class PictureAndSource:
    """A picture and the source that it is compared with, of the same shape and seen in the same places."""

    picture: MaskedPicture
    source: MaskedPicture


def blend_over(picture: MaskedPicture, ground: Pixels) -> Pixels:
    """Return a picture seen before `ground`, of its shape; where it is seen whole, its very values."""
    weights = picture.weights[:, :, np.newaxis]
    if (weights == 1.0).all():
        return picture.pixels
    encoding = picture.screen.encoding
    behind = to_light(ground, encoding)
    mixed = from_light(behind + weights * (picture.light - behind), encoding)
    return np.where(weights == 1.0, picture.pixels, np.where(weights == 0.0, ground, mixed))


def clipped_fraction(pixels: Pixels) -> float:
    """Return the fraction of values that leave [0, 1] by more than half a level of 16 bits."""
    return float(np.mean((pixels < -NEGLIGIBLE) | (pixels > 1.0 + NEGLIGIBLE)))
