"""Scrambles the phases of pictures, for masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stimgen.reading.random_numbers import uniform

Light = NDArray[np.float64]
ROUNDS = 30
"""Rounds after which mean and contrast are those of the picture, unless it is nearly all black and white."""


def scramble_phases(light: Light, *key: str | int) -> Light:
    """Return a picture, height x width x channels, with the same amplitude spectrum and random phases.

    The phases of a noise picture are added to those of every channel, so that relations between colours are
    kept (Galerne, Gousseau & Morel 2011). Mean and standard deviation of every channel are those of
    `light`, as nearly as values in [0, 1] permit. `key` names the stream of random numbers.
    """
    height, width = light.shape[:2]
    noise = np.fft.fft2(uniform(height * width, *key).reshape(height, width))
    noise[0, 0] = 1.0
    turn = noise / np.maximum(np.abs(noise), np.finfo(np.float64).tiny)
    spectrum = np.fft.fft2(light, axes=(0, 1)) * turn[:, :, np.newaxis]
    scrambled: Light = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return _match_range(scrambled, light.mean((0, 1)), light.std((0, 1)))


def _match_range(values: Light, mean: Light, spread: Light) -> Light:
    """Return values within [0, 1] of a mean and a standard deviation, by cutting and stretching in turn."""
    for _ in range(ROUNDS):
        found = np.maximum(values.std((0, 1)), 1e-12)
        values = np.clip(mean + (values - values.mean((0, 1))) * (spread / found), 0.0, 1.0)
    return values
