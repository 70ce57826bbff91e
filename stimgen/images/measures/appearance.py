"""Measures luminance, contrast, colour, spectrum and edges of pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stimgen.images.light import Encoding, Light, Plane, luminance, to_light
from stimgen.images.measures.spectrum import amplitude_spectrum, spectral_slope
from stimgen.images.prepare import Pixels

# From red, green and blue light of sRGB to CIE XYZ (IEC 61966-2-1); the sums of the rows are its white, D65.
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
LAB_CORNER = 6 / 29
DECIMALS = 6  # of means; rounding removes the colour that the last bits of sums give to greys


class Appearance(NamedTuple):
    """Holds the measures of one picture; NaN where a measure does not exist."""

    luminance: float
    """Mean of the relative luminance Y: 0 is black, 1 white."""
    contrast: float
    """RMS contrast: standard deviation over mean of Y; NaN for black. That of Peli (1990) is another."""
    lightness: float
    """Mean of CIELAB L*, D65: 0 to 100."""
    red_green: float
    """Mean of CIELAB a*: green is negative, red positive."""
    yellow_blue: float
    """Mean of CIELAB b*: blue is negative, yellow positive."""
    slope: float
    """Slope of the log amplitude spectrum of Y; see `spectral_slope`."""
    edges: float
    """Mean squared gradient of Y; see `edge_energy`."""


LABELS = {
    "luminance": ("Luminance", "mean, white 1"),
    "contrast": ("RMS contrast", ""),
    "lightness": ("L*", "lightness"),
    "red_green": ("a*", "green to red"),
    "yellow_blue": ("b*", "blue to yellow"),
    "slope": ("Spectral slope", "log amplitude"),
    "edges": ("Edge energy", ""),
}
"""Name of every measure, and a note on its meaning, for tables and figures."""


def measure_appearance(pixels: Pixels, encoding: Encoding) -> Appearance:
    """Return the measures of encoded pixels in [0, 1], height x width x channels (1 or 3)."""
    light = to_light(pixels, encoding)
    grey = luminance(light)
    mean = float(grey.mean())
    contrast = float(grey.std()) / mean if mean > 0 else float("nan")
    slope = spectral_slope(amplitude_spectrum(grey))
    return Appearance(mean, contrast, *mean_lab(light), slope, edge_energy(grey))


def mean_lab(light: Light) -> tuple[float, float, float]:
    """Return the means of CIELAB L*, a* and b* over all pixels (CIE 15:2004, equations 8.3 to 8.11)."""
    red, green, blue = (light[:, :, i % light.shape[2]] for i in range(3))
    x, y, z = (_lab_function((r * red + g * green + b * blue) / (r + g + b)).mean() for r, g, b in XYZ)
    lab = (116 * y - 16, 500 * (x - y), 200 * (y - z))
    lightness, red_green, yellow_blue = (round(float(value), DECIMALS) + 0.0 for value in lab)  # no -0
    return lightness, red_green, yellow_blue


def edge_energy(values: Plane) -> float:
    """Return the mean of (dv/dx)^2 + (dv/dy)^2, with forward differences of neighbouring pixels.

    It is NaN if height or width is a single pixel.
    """
    if min(values.shape) < 2:
        return float("nan")
    down, right = np.diff(values, axis=0)[:, :-1], np.diff(values, axis=1)[:-1]
    return float((down**2 + right**2).mean())


def _lab_function(values: Plane) -> Plane:
    """Return the function f of CIELAB: the cube root, and a straight line near black."""
    line = values / (3 * LAB_CORNER**2) + 4 / 29
    return np.where(values > LAB_CORNER**3, np.cbrt(values), line)
