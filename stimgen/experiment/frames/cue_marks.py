"""Draws the marks of cues."""

from __future__ import annotations

import math

import numpy as np

from stimgen.experiment.design.trial import Box, CueMark
from stimgen.experiment.frames.overlays import Coverage

RING = 1 / 8
"""Width of a ring's line as a share of its diameter."""


def cue_box(mark: CueMark, resolution: tuple[int, int]) -> Box:
    """Return the box on the screen that holds a mark."""
    width, height = resolution
    reach = mark.width / 2
    xs = (width / 2 + mark.ends[0], width / 2 + mark.ends[2])
    ys = (height / 2 - mark.ends[1], height / 2 - mark.ends[3])
    left, top = math.floor(min(xs) - reach), math.floor(min(ys) - reach)
    return left, top, math.ceil(max(xs) + reach) - left, math.ceil(max(ys) + reach) - top


def draw_cue_mark(mark: CueMark, resolution: tuple[int, int]) -> Coverage:
    """Return where a mark covers what is below it, height x width of its box.

    A pixel belongs to a dot or a line if its centre is no farther than half the width from the line between
    its ends.
    """
    left, top, wide, high = cue_box(mark, resolution)
    x = left + np.arange(wide)[np.newaxis, :] + 0.5 - resolution[0] / 2
    y = resolution[1] / 2 - (top + np.arange(high)[:, np.newaxis] + 0.5)
    ax, ay, bx, by = mark.ends
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0.0, 1.0) if length else np.zeros((high, wide))
    distance = np.hypot(x - ax - along * dx, y - ay - along * dy)
    covered: Coverage = distance <= mark.width / 2
    if mark.shape == "ring":
        covered &= distance > mark.width / 2 - max(1.5, mark.width * RING)
    return covered
