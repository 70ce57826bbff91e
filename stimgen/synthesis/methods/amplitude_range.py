"""Brings pictures with a given amplitude spectrum into the range of the screen."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.synthesis.methods.base import ReferenceInfo
from stimgen.synthesis.methods.direct import DirectMethod

Floats = NDArray[np.float64]

ROUNDS = 50
"""With so many, eleven photographs kept 0.993 to 1 of their amplitudes, instead of 0.87 to 1 with none."""
NEAR = 0.5 / 255
"""Values that leave the range by less are black or white when they are rounded to 8 bits."""


class AmplitudeMethod(DirectMethod):
    """Makes pictures with a given amplitude spectrum, in the range [0, 1]."""

    papers = ("galerne2011",)

    range: Literal["fit", "scale", "cut"] = "fit"
    """How values come into [0, 1]. ``fit``: phases are moved, the same in all colours, until the values fit,
    and what little is left outside is cut off. ``scale``: contrast is lowered, and phases stay random.
    ``cut``: values outside are cut off, which lowers contrast and changes the spectrum."""

    @override
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return the settings; ``cut`` was the only way once, so it has no part in identities."""
        recipe = super().recipe(known)
        if self.range == "cut":
            del recipe["settings"]["range"]
        return recipe

    def move_into_range(self, picture: Floats) -> Floats:
        """Return a picture, height x width x channels, in range; as it is for ``cut``."""
        if self.range == "fit":
            return _fit_phases(picture)
        return _lower_contrast(picture) if self.range == "scale" else picture


def _fit_phases(picture: Floats) -> Floats:
    """Return the picture after reflecting it at the range and at its amplitudes in turn.

    Between two pictures, the phases that are moved are those that bring the picture with the wanted
    amplitudes nearest to the reflected one (Liu, Gousseau & Xia 2016, equation 5).
    """
    spectrum = np.fft.rfft2(picture, axes=(0, 1))
    values = picture
    for _ in range(ROUNDS):
        inside = np.clip(values, 0.0, 1.0)
        if np.abs(values - inside).max() < NEAR:
            break
        found = np.fft.rfft2(2 * inside - values, axes=(0, 1))
        turn = (found * spectrum.conj()).sum(2, keepdims=True)
        length = np.abs(turn)
        turn = np.divide(turn, length, out=np.ones_like(turn), where=length > 0)
        turn[0, 0] = 1.0
        values = np.fft.irfft2(spectrum * turn, s=picture.shape[:2], axes=(0, 1))
    fitted: Floats = np.clip(values, 0.0, 1.0)
    return fitted


def _lower_contrast(picture: Floats) -> Floats:
    """Return the picture with the highest contrast about its means with which all values are in range."""
    means = picture.mean((0, 1))
    highest, lowest = (picture - means).max((0, 1)), (picture - means).min((0, 1))
    above, below = 1 - means, -means
    factors = [1.0]
    factors += [float(room / most) for room, most in zip(above, highest, strict=True) if most > room]
    factors += [float(room / most) for room, most in zip(below, lowest, strict=True) if most < room]
    lowered: Floats = means + (picture - means) * min(factors)
    return lowered
