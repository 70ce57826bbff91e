"""Separates what is matched of a colour picture from what is kept, and joins both again."""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Light, Plane, luminance
from stimgen.images.measures.appearance import LAB_CORNER, XYZ

Space = Literal["luminance", "lab"]

DARK = 1e-6  # darker light has no colour that could be kept
ROUNDING = 1e-9


class RecolouredLight(NamedTuple):
    """Holds light with the wanted luminance."""

    light: Light
    desaturated: float
    """Part of the pixels whose colour could not be kept, because it would have been beyond black or white."""


def extract_plane(light: Light, space: Space) -> Plane:
    """Return what is matched of light: its luminance, or its CIELAB L* / 100; white is 1 in both."""
    grey = luminance(light)
    if space == "luminance":
        return grey
    line = grey / (3 * LAB_CORNER**2) + 4 / 29
    return (116 * np.where(grey > LAB_CORNER**3, np.cbrt(grey), line) - 16) / 100


def convert_to_luminance(plane: Plane, space: Space) -> Plane:
    """Return the luminance that a matched plane stands for, the inverse of `extract_plane` for greys."""
    if space == "luminance":
        return plane
    root = (100 * plane + 16) / 116
    return np.where(root > LAB_CORNER, root**3, 3 * LAB_CORNER**2 * (root - 4 / 29))


def replace_plane(light: Light, plane: Plane, space: Space) -> RecolouredLight:
    """Return light with another plane: with the old chromaticities, or with the old a* and b*.

    Colours that would leave [0, 1] lose saturation: they are mixed with the grey of their new luminance, so
    that the luminance is exact.
    """
    wanted = convert_to_luminance(plane, space)
    if light.shape[2] == 1:
        return RecolouredLight(wanted[:, :, np.newaxis], 0.0)
    coloured = _scale(light, wanted) if space == "luminance" else _replace_lightness(light, plane)
    grey = wanted[:, :, np.newaxis]
    beyond = coloured - grey
    room = np.where(beyond > 0.0, 1.0 - grey, grey)
    needed = np.abs(beyond)
    share = np.divide(room, needed, out=np.ones_like(needed), where=needed > ROUNDING).min(2, keepdims=True)
    kept = np.clip(share, 0.0, 1.0)
    return RecolouredLight(grey + kept * beyond, float((share < 1.0 - ROUNDING).mean()))


def _scale(light: Light, wanted: Plane) -> Light:
    found = luminance(light)
    factor = np.divide(wanted, found, out=np.zeros_like(wanted), where=found > DARK)[:, :, np.newaxis]
    return np.where((found > DARK)[:, :, np.newaxis], light * factor, wanted[:, :, np.newaxis])


def _replace_lightness(light: Light, plane: Plane) -> Light:
    """Return the light with another CIELAB L*, through scikit-image's conversions between XYZ and CIELAB."""
    from skimage.color import lab2xyz, xyz2lab

    to_xyz: NDArray[np.float64] = np.array(XYZ)
    lab = xyz2lab(light @ to_xyz.T)
    lab[:, :, 0] = 100 * plane
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Conversion from CIE-LAB"
        )  # such colours are mixed with grey
        xyz = lab2xyz(lab)
    xyz[:, :, 1] = convert_to_luminance(plane, "lab")  # scikit-image's line near black is a little different
    converted: Light = xyz @ np.linalg.inv(to_xyz).T
    return converted
