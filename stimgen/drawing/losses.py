"""Draws losses against evaluations: the total, its terms, and the share of every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stimgen.drawing.figure import make_figure

WHOLE = "total"
Points = tuple[Sequence[float], Sequence[float]]
Scales = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class LossCurves:
    """Holds the losses during a synthesis."""

    parts: Mapping[str, Sequence[float]]
    """Loss at every evaluation, for the total and every term."""
    layers: Mapping[str, Sequence[float]]
    """Share of every layer in the loss, at the snapshots."""
    snapshots: Sequence[int]
    """Evaluations of the snapshots."""
    scales: Scales
    """First evaluation and name of every scale."""


def draw_losses(curves: LossCurves, title: str, option: str) -> Any:
    """Return a figure of losses; `option` is named in the error if matplotlib is not installed."""
    figure = make_figure(option, (9.0, 7.2))
    above, below = figure.subplots(2, 1, sharex=True)
    every = range(1, 1 + max(map(len, curves.parts.values())))
    for name, values in curves.parts.items():
        style = {"color": "black", "lw": 2.2, "zorder": 1} if name == WHOLE else {"lw": 1.2}
        _draw_curve(above, (every, values), curves.scales, {"label": name, **style})
    for name, values in curves.layers.items():
        _draw_curve(below, (curves.snapshots, values), curves.scales, {"label": name, "marker": ".", "ms": 4})
    for axis, what in ((above, "loss"), (below, "loss layer by layer, at snapshots")):
        _style_axis(axis, what, curves.scales)
    for begin, name in curves.scales:
        above.annotate(name, (begin, 1.0), (3, 3), ("data", "axes fraction"), "offset points", fontsize=8)
    below.set_xlabel("evaluation of the objective")
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_curve(axis: Any, points: Points, scales: Scales, style: dict[str, Any]) -> None:
    """Draw a curve with gaps between scales, because losses at different sizes cannot be compared."""
    x, y = np.array(points, dtype=np.float64)
    y[y <= 0.0] = np.nan  # a logarithmic axis has no place for it
    begins = np.searchsorted(x, [begin for begin, _ in scales[1:]])
    axis.plot(np.insert(x, begins, np.nan), np.insert(y, begins, np.nan), **style)


def _style_axis(axis: Any, what: str, scales: Scales) -> None:
    axis.set(yscale="log", ylabel=what)
    axis.grid(visible=True, which="major", alpha=0.25)
    for begin, _ in scales:
        axis.axvline(begin, color="0.6", lw=0.8, ls=":")
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
