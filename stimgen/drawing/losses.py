"""Losses over evaluations: the whole and its terms, and layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stimgen.drawing.figure import make_figure

WHOLE = "total"
Scales = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class LossCurves:
    """Losses on the way.

    Attributes
    ----------
    parts : mapping
        Name to the loss at every evaluation.
    layers : mapping
        Name of a layer to its share of the loss, at the snapshots.
    snapshots : sequence of int
        The evaluations that these belong to.
    scales : sequence
        Where each scale begins, and what it is called.
    """

    parts: Mapping[str, Sequence[float]]
    layers: Mapping[str, Sequence[float]]
    snapshots: Sequence[int]
    scales: Scales


def loss_figure(curves: LossCurves, title: str, option: str) -> Any:
    """Return a figure of losses against evaluations.

    Raises
    ------
    StimgenError
        matplotlib is not installed.
    """
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


def _draw_curve(
    axis: Any, points: tuple[Sequence[float], Sequence[float]], scales: Scales, style: dict[str, Any]
) -> None:
    """Draw a curve in pieces, because the loss of one scale's pictures is not that of another's."""
    x, y = np.array(points, dtype=np.float64)
    y[y <= 0.0] = np.nan  # which has no place on a logarithmic axis
    begins = np.searchsorted(x, [begin for begin, _ in scales[1:]])
    # A gap is where a number is missing.
    axis.plot(np.insert(x, begins, np.nan), np.insert(y, begins, np.nan), **style)


def _style_axis(axis: Any, what: str, scales: Scales) -> None:
    axis.set(yscale="log", ylabel=what)
    axis.grid(visible=True, which="major", alpha=0.25)
    for begin, _ in scales:
        axis.axvline(begin, color="0.6", lw=0.8, ls=":")
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
