"""Scrambles the phases of pictures, for masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stimgen.reading.random_numbers import uniform

Light = NDArray[np.float64]
ROUNDS = 20
"""Rounds after which mean and standard deviation of nine photographs differ by at most 0.0015."""


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
    # Channel by channel: long strides are slow.
    channels = [np.ascontiguousarray(light[:, :, i], np.float64) for i in range(light.shape[2])]
    return np.stack([_scramble_channel(channel, turn) for channel in channels], axis=2)


def _scramble_channel(light: Light, turn: NDArray[np.complex128]) -> Light:
    """Return a channel whose phases were turned, within [0, 1], by cutting and stretching in turn."""
    mean, spread = light.mean(), light.std()
    values: Light = np.fft.ifft2(np.fft.fft2(light) * turn).real
    for _ in range(ROUNDS):
        found = max(float(values.std()), np.finfo(np.float64).tiny)
        values = np.clip(mean + (values - values.mean()) * (spread / found), 0.0, 1.0)
    return values
