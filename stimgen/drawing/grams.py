"""Draws Gram matrices of source and synthesis, and their difference, one row for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stimgen.drawing.figure import make_figure
from stimgen.drawing.layers import LayerMaps

SIDE, MARGIN = 2.7, 0.1  # inches
# Percentage of the values beyond each end of the scale of colours; otherwise a few make all others pale.
OUTSIDE = 0.5


def draw_grams(layers: Sequence[LayerMaps], title: str, option: str) -> Any:
    """Return a figure of Gram matrices; `option` is named in the error if matplotlib is not installed."""
    figure = make_figure(option, (3.7 * SIDE, SIDE * len(layers) + 0.9), MARGIN)
    axes = figure.subplots(len(layers), 3, squeeze=False)
    for row, maps in zip(axes, layers, strict=True):
        _draw_row(figure, row, maps)
    figure.suptitle(
        f"{title}\nGram matrices of the maps that vary most in the source, strongest first; products of "
        "centred maps over their lengths in the source",
        fontsize=10,
    )
    return figure


def _draw_row(figure: Any, row: Any, maps: LayerMaps) -> None:
    source, synthesis = maps.grams()
    difference = synthesis - source
    limit = max(np.percentile(np.abs(matrix), 100 - OUTSIDE) for matrix in (source, synthesis))
    small = max(float(np.percentile(np.abs(difference), 100 - OUTSIDE)), 1e-6)
    error = np.linalg.norm(difference) / np.linalg.norm(source)
    titles = "source", "synthesis", f"difference: {100 * error:.2g} % of the source's norm"
    matrices, bounds = (source, synthesis, difference), (limit, limit, small)
    for axis, matrix, bound, name in zip(row, matrices, bounds, titles, strict=True):
        image = axis.imshow(matrix, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(name, fontsize=9)
        figure.colorbar(image, ax=axis, shrink=0.8).ax.tick_params(labelsize=7)
    row[0].set_ylabel(f"{maps.network}\n{maps.layer}\n{len(source)} of {len(maps.source)} maps", fontsize=9)
