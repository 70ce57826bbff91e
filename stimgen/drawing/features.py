"""Draws the feature maps of a layer: those of the source above those of the synthesis."""

from __future__ import annotations

from typing import Any

import numpy as np

from stimgen.drawing.figure import make_figure
from stimgen.drawing.layers import LayerMaps
from stimgen.images.prepare import Pixels

COLUMNS, PAIRS = 8, 2
TILE, MARGIN = 1.35, 0.06  # inches
GREY = "0.35"
# Percentage of the values that is shown black, and white; otherwise a few bright values darken the others.
OUTSIDE = 0.5


def draw_features(maps: LayerMaps, pictures: tuple[Pixels, Pixels], title: str, option: str) -> Any:
    """Return a figure of a layer's strongest channels, with `pictures`, source and synthesis, at the left.

    `option` is named in the error if matplotlib is not installed.
    """
    chosen = maps.strongest(COLUMNS * PAIRS)
    rows = 2 * -(-len(chosen) // COLUMNS)
    figure = make_figure(option, (TILE * (COLUMNS + 1) + 0.4, 1.12 * TILE * rows + 0.8), MARGIN)
    axes = figure.subplots(rows, COLUMNS + 1, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for row in range(rows):
        _draw_picture(axes[row, 0], pictures[row % 2], ("source", "synthesis")[row % 2])
    for i, channel in enumerate(chosen):
        row, column = 2 * (i // COLUMNS), 1 + i % COLUMNS
        _draw_maps(axes[row, column], axes[row + 1, column], maps, int(channel))
    height, width = maps.source.shape[1:]
    what = f"{len(chosen)} of {len(maps.source)} feature maps, those that vary most in the source"
    what = f"{maps.network}, {maps.layer}: {what}; {width} x {height} positions"
    figure.suptitle(f"{title}\n{what}", fontsize=10)
    return figure


def _draw_picture(axis: Any, picture: Pixels, label: str) -> None:
    shown = np.clip(picture, 0.0, 1.0)
    axis.imshow(shown.repeat(3, axis=2) if shown.shape[2] == 1 else shown, interpolation="nearest")
    axis.set_title(label, fontsize=9, color=GREY)


def _draw_maps(above: Any, below: Any, maps: LayerMaps, channel: int) -> None:
    """Draw a channel of source and synthesis with the same range of greys."""
    both = np.stack([maps.source[channel].ravel(), maps.synthesis[channel].ravel()])
    lowest, highest = np.percentile(both, [OUTSIDE, 100 - OUTSIDE])
    for axis, values in ((above, maps.source[channel]), (below, maps.synthesis[channel])):
        axis.imshow(values, cmap="gray", vmin=lowest, vmax=highest, interpolation="nearest")
    above.set_title(f"map {channel}", fontsize=8, color=GREY)
