"""Numbers of a picture as light, and back."""

from __future__ import annotations

import numpy as np
import pytest

from stimgen.images.light import from_light, luminance, to_light


def test_the_srgb_curve_at_known_places() -> None:
    """By hand from IEC 61966-2-1: 10/255 lies on the straight piece, mid grey is 21.6 % of the light."""
    found = to_light(np.array([0.0, 10 / 255, 0.5, 1.0]), "srgb")
    assert np.allclose(found, [0.0, 10 / 255 / 12.92, 0.21404114, 1.0], atol=1e-8)


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_every_level_comes_back(encoding: str) -> None:
    levels = np.arange(65536) / 65535
    assert np.allclose(from_light(to_light(levels, encoding), encoding), levels, atol=1e-7)


def test_linear_numbers_are_light() -> None:
    levels = np.linspace(0, 1, 9)
    assert np.array_equal(to_light(levels, "linear"), levels)


def test_luminance_weighs_the_channels() -> None:
    primaries = np.eye(4, 3)[np.newaxis]  # red, green, blue, black
    assert np.allclose(luminance(primaries), [[0.2126, 0.7152, 0.0722, 0.0]])
    grey = np.full((2, 3, 1), 0.25)
    assert np.array_equal(luminance(grey), grey[:, :, 0])
    assert np.allclose(luminance(np.repeat(grey, 3, axis=2)), 0.25)
