"""Draws what frames show beside pictures: fixation marks, noise masks, the photodiode's patch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stimgen.experiment.design.trial import Box
from stimgen.experiment.schema.display import FixationMark, PhotodiodePatch
from stimgen.reading.random_numbers import uniform

Coverage = NDArray[np.bool_]


def fixation_mark(shape: str, diameter: int) -> Coverage:
    """Return where a fixation mark covers what is below it: diameter x diameter.

    The bull's eye is the mark of Thaler, Schütz, Goodale & Gegenfurtner (2013), on which fixation is most
    stable: a disc, cut by a cross hair a third as wide, with a dot of that width in the middle.
    """
    at = np.abs(np.arange(diameter) + 0.5 - diameter / 2)
    x, y = at[np.newaxis, :], at[:, np.newaxis]
    disc: Coverage = np.hypot(x, y) <= diameter / 2
    parity = diameter % 2
    # The bar is even or odd as the mark is, so that it lies in the middle.
    bar = max(2 - parity, 2 * round((diameter / 3 - parity) / 2) + parity) / 2
    cross = (x < bar) | (y < bar)
    if shape == "dot":
        return disc
    if shape == "cross":
        return np.broadcast_to(cross, disc.shape).copy()
    if shape == "bullseye":
        eye: Coverage = (disc & ~cross) | (np.hypot(x, y) <= bar)
        return eye
    return np.zeros_like(disc)


def fixation_diameter(fixation: FixationMark, pixels_wide: float, resolution: tuple[int, int]) -> int:
    """Return the mark's width in pixels: even or odd as the screen's is, so that their centres agree."""
    if fixation.shape == "none":
        return 0
    parity = resolution[0] % 2
    return max(2 if parity == 0 else 3, 2 * round((pixels_wide - parity) / 2) + parity)


def mask_noise(box: Box, grain: int, background: float, *key: str | int) -> NDArray[np.float64]:
    """Return the light of a noise mask, height x width, in squares of `grain` pixels.

    The light is uniform between 0 and twice the background's, or within as much around it as stays below
    white. Of the box only the size matters; `key` names the stream of random numbers.
    """
    _, _, width, height = box
    rows, columns = -(-height // grain), -(-width // grain)
    reach = min(background, 1.0 - background)
    squares = background + reach * (2.0 * uniform(rows * columns, *key).reshape(rows, columns) - 1.0)
    fine: NDArray[np.float64] = np.repeat(np.repeat(squares, grain, 0), grain, 1)[:height, :width]
    return fine


def photodiode_box(photodiode: PhotodiodePatch, resolution: tuple[int, int]) -> Box:
    """Return the box of the photodiode's patch."""
    side = photodiode.pixels
    left = 0 if "left" in photodiode.corner else resolution[0] - side
    top = 0 if "upper" in photodiode.corner else resolution[1] - side
    return left, top, side, side
