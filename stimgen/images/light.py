"""What the numbers of a picture mean as light."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Encoding = Literal["srgb", "linear"]
Values = NDArray[np.float64]

# Where the straight piece of the sRGB curve ends, in numbers and in light (IEC 61966-2-1).
STRAIGHT_NUMBERS, STRAIGHT_LIGHT = 0.04045, 0.0031308
LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue light in the luminance (IEC 61966-2-1, ITU-R BT.709)."""


def to_light(numbers: NDArray[np.floating], encoding: Encoding) -> Values:
    """Return light, relative to the brightest that can be shown.

    Parameters
    ----------
    numbers : array
        As they stand in a picture, [0, 1].
    encoding : {"srgb", "linear"}
        ``srgb``: light is ((v + 0.055) / 1.055)^2.4 above 0.04045, else v / 12.92 (IEC 61966-2-1).
    """
    values = np.asarray(numbers, dtype=np.float64)
    if encoding == "linear":
        return values
    # The maximum keeps the power from numbers that it is not defined for.
    curved = ((np.maximum(values, STRAIGHT_NUMBERS) + 0.055) / 1.055) ** 2.4
    return np.where(values <= STRAIGHT_NUMBERS, values / 12.92, curved)


def from_light(light: NDArray[np.floating], encoding: Encoding) -> Values:
    """Return the numbers that stand for light; the inverse of `to_light`."""
    values = np.asarray(light, dtype=np.float64)
    if encoding == "linear":
        return values
    curved = 1.055 * np.maximum(values, STRAIGHT_LIGHT) ** (1 / 2.4) - 0.055
    return np.where(values <= STRAIGHT_LIGHT, values * 12.92, curved)


def luminance(light: Values) -> Values:
    """Return the luminance of every pixel, height x width: 1 is white.

    Parameters
    ----------
    light : array
        Height x width x channels (1 or 3), from `to_light`.
    """
    if light.shape[2] == 1:
        return light[:, :, 0]
    red, green, blue = (share * light[:, :, i] for i, share in enumerate(LUMINANCE))
    return red + green + blue
