"""What a reviewer asks of the pictures of a condition: luminance, contrast, colour, spectrum, edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stimgen.images.light import Encoding, Light, luminance, to_light
from stimgen.images.measures.plane import Plane
from stimgen.images.measures.spectrum import amplitude_spectrum, spectral_slope
from stimgen.images.prepare import Pixels

# From sRGB's red, green and blue light to CIE XYZ (IEC 61966-2-1); the rows' sums are its white, D65.
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
LAB_CORNER = 6 / 29
DECIMALS = 6  # of means, so that greys have no colour, where the last bits of sums would give them some


class Appearance(NamedTuple):
    """Measures of one picture; NaN where a measure does not exist."""

    luminance: float
    """Mean of the relative luminance Y: 0 is black, 1 white."""
    contrast: float
    """RMS contrast: standard deviation of Y (Peli 1990, *JOSA A* 7, 2032) over its mean; NaN for black."""
    lightness: float
    """Mean of CIELAB L*, D65: 0 to 100."""
    red_green: float
    """Mean of CIELAB a*: green is negative, red positive."""
    yellow_blue: float
    """Mean of CIELAB b*: blue is negative, yellow positive."""
    slope: float
    """Slope of the log amplitude spectrum of Y; see `amplitude_spectrum.slope`."""
    edges: float
    """Edge energy: mean squared gradient of Y, by differences of neighbours, per square pixel."""


def measure_appearance(pixels: Pixels, encoding: Encoding) -> Appearance:
    """Return the measures of a picture.

    Parameters
    ----------
    pixels : Pixels
        Height x width x channels (1 or 3), [0, 1], encoded.
    encoding : {"srgb", "linear"}
        How its numbers mean light.
    """
    light = to_light(pixels, encoding)
    grey = luminance(light)
    mean = float(grey.mean())
    contrast = float(grey.std()) / mean if mean > 0 else float("nan")
    return Appearance(
        mean, contrast, *mean_lab(light), spectral_slope(amplitude_spectrum(grey)), edge_energy(grey)
    )


def mean_lab(light: Light) -> tuple[float, float, float]:
    """Return the means of CIELAB L*, a* and b* over all pixels (CIE 15:2004, equations 8.3 to 8.11).

    Parameters
    ----------
    light : array
        Height x width x channels (1 or 3), from `to_light`.
    """
    red, green, blue = (light[:, :, i % light.shape[2]] for i in range(3))
    x, y, z = (_lab_function((r * red + g * green + b * blue) / (r + g + b)).mean() for r, g, b in XYZ)
    lab = (116 * y - 16, 500 * (x - y), 200 * (y - z))
    lightness, red_green, yellow_blue = (round(float(value), DECIMALS) + 0.0 for value in lab)  # no -0
    return lightness, red_green, yellow_blue


def edge_energy(values: Plane) -> float:
    """Return the mean of (dv/dx)^2 + (dv/dy)^2, with forward differences of neighbouring pixels.

    Parameters
    ----------
    values : array
        Height x width; NaN where one of them is a single pixel, which has no neighbours.
    """
    if min(values.shape) < 2:
        return float("nan")
    down, right = np.diff(values, axis=0)[:, :-1], np.diff(values, axis=1)[:-1]
    return float((down**2 + right**2).mean())


def _lab_function(values: Plane) -> Plane:
    """Return the cube root, but straight near black."""
    line = values / (3 * LAB_CORNER**2) + 4 / 29
    return np.where(values > LAB_CORNER**3, np.cbrt(values), line)
