"""Converts between the encoded values of a picture and the light that a screen makes of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
"""Height x width x channels, encoded."""
Encoding = Literal["srgb", "linear"]
"""``srgb``: IEC 61966-2-1; ``linear``: the values are light already."""
Light = NDArray[np.float64]
"""Height x width x channels; 1 is white."""
Plane = NDArray[np.float64]
"""Height x width."""

# Weights of red, green and blue light in luminance (ITU-R BT.709, the primaries of sRGB).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

# Powers differ in their last bits between processors. After rounding, about one in a billion still differs.
GRAIN = 2.0**-20


def to_light(values: NDArray[Any], encoding: Encoding) -> Light:
    """Return the light of encoded values with nominal range [0, 1]; sRGB is continued as an odd function."""
    encoded = np.asarray(values, dtype=np.float64)
    if encoding == "linear":
        return encoded
    size = np.abs(encoded)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    signed: Light = np.copysign(light, encoded)
    return signed


def from_light(light: Light, encoding: Encoding) -> Pixels:
    """Return the encoded values of light, the inverse of `to_light`, rounded to multiples of 2^-20."""
    values = light
    if encoding == "srgb":
        size = np.abs(light)
        values = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055)
        values = np.copysign(values, light)
    rounded: Pixels = (np.rint(values / GRAIN) * GRAIN).astype(np.float32)
    return rounded


def luminance(light: Light) -> Plane:
    """Return the luminance of light; white is 1."""
    return light[:, :, 0] if light.shape[2] == 1 else light @ LUMINANCE
