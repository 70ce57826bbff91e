"""Properties of steps, on pictures, apertures and values that nobody chose."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from stimgen.images.light import from_light, to_light
from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec
from stimgen.images.sequence import apply_steps
from stimgen.images.steps.contrast import Contrast
from stimgen.images.steps.flat_top import FlatTop
from stimgen.images.steps.luminance import Luminance
from stimgen.images.steps.raised_cosine import RaisedCosine

SHAPES = st.tuples(st.integers(2, 12), st.integers(2, 12), st.sampled_from([1, 3]))
LEVELS = hnp.arrays(np.uint8, SHAPES)
SCREENS = st.builds(ScreenSpec, st.sampled_from(["srgb", "linear"]), st.floats(0.0, 1.0))
TOLERANCE = 1e-5


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-2.0, 2.0)))
def test_light_and_back(values: NDArray[np.float64]) -> None:
    assert np.abs(from_light(to_light(values, "srgb"), "srgb") - values).max() < 1e-6


@given(LEVELS, SCREENS, st.floats(0.05, 0.9), st.floats(0.01, 2.0), st.booleans(), st.booleans())
def test_luminance_and_contrast_are_what_was_asked_for_in_either_order(
    levels: NDArray[np.uint8], screen: ScreenSpec, mean: float, rms: float, window: bool, turned: bool
) -> None:
    """To what rounding to 2^-20 leaves."""
    picture = MaskedPicture.from_pixels(levels.astype(np.float32) / 255, screen)
    if window:
        picture = RaisedCosine().apply_geometry(picture)
    assume(picture.mean_luminance() > 0.02)
    assume(picture.rms_contrast() > 0.02)
    steps = [Luminance(mean=mean), Contrast(rms=rms)]
    found = apply_steps(steps[::-1] if turned else steps, PictureAndSource(picture, picture))
    # Where light is far beyond white, so is its rounding.
    scale = max(1.0, float(np.abs(found.light).max()))
    assert abs(found.mean_luminance() - mean) < TOLERANCE * scale
    assert abs(found.rms_contrast() - rms) < 20 * TOLERANCE * scale


@given(LEVELS, SCREENS)
def test_what_a_picture_has_already_changes_nothing(levels: NDArray[np.uint8], screen: ScreenSpec) -> None:
    picture = MaskedPicture.from_pixels(levels.astype(np.float32) / 255, screen)
    assume(picture.mean_luminance() > 0.02)
    assume(picture.rms_contrast() > 0.02)
    found = apply_steps([Luminance(), Contrast()], PictureAndSource(picture, picture))
    assert np.abs(found.pixels - picture.pixels).max() < 1e-4


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0.0, 30.0),
    st.sampled_from(["circle", "rectangle"]),
    st.one_of(st.just("inscribed"), st.floats(1.0, 40.0)),
)
def test_apertures_fall_from_the_centre_and_are_symmetric(
    width: int, height: int, edge: float, shape: Literal["circle", "rectangle"], diameter: Any
) -> None:
    assume(diameter == "inscribed" or diameter <= min(width, height))
    radius = (min(width, height) if diameter == "inscribed" else diameter) / 2
    for step in (RaisedCosine(shape=shape, diameter=diameter),
                 FlatTop(shape=shape, diameter=diameter, edge=min(edge, radius))):  # fmt: skip
        found = step.weights(width, height)
        assert found.shape == (height, width)
        assert 0.0 <= found.min() <= found.max() <= 1.0
        assert np.array_equal(found, found[::-1])
        assert np.array_equal(found, found[:, ::-1])
        quarter = found[height // 2 :, width // 2 :]
        assert (np.diff(quarter, axis=0) <= 1e-12).all()
        assert (np.diff(quarter, axis=1) <= 1e-12).all()
        x, y = np.arange(width) + 0.5 - width / 2, np.arange(height)[:, np.newaxis] + 0.5 - height / 2
        if shape == "circle":
            assert (found[np.hypot(x, y) > radius] == 0.0).all()
        if isinstance(step, FlatTop):
            clear = np.maximum(np.abs(x), np.abs(y)) if shape == "rectangle" else np.hypot(x, y)
            assert (found[clear <= radius - step.edge - 1e-9] == 1.0).all()
            if step.edge > 1e-6 and shape == "circle":
                assert np.allclose(step.falloff(np.array([radius - step.edge / 2]), radius), 0.5)


@given(LEVELS, SCREENS, st.floats(0.0, 1.0))
def test_what_is_shown_lies_between_picture_and_background(
    levels: NDArray[np.uint8], screen: ScreenSpec, weight: float
) -> None:
    picture = MaskedPicture.from_pixels(levels.astype(np.float32) / 255, screen)
    shown = picture.apply_mask(np.full(levels.shape[:2], weight)).render()
    low, high = (f(picture.pixels, np.float32(screen.background)) for f in (np.minimum, np.maximum))
    assert (shown >= low - 1e-6).all()
    assert (shown <= high + 1e-6).all()
