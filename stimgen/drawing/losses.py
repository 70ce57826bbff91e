"""Losses over evaluations: the whole and its terms, and layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stimgen.images.figure import new_figure

FLOOR = 1e-12  # losses of zero have no place on a logarithmic axis


@dataclass(frozen=True)
class Curves:
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
    scales: Sequence[tuple[int, str]]


def loss_figure(curves: Curves, title: str, option: str) -> Any:
    """Return a figure of losses against evaluations.

    Raises
    ------
    StimgenError
        matplotlib is not installed.
    """
    figure = new_figure(option, (9.0, 7.2))
    above, below = figure.subplots(2, 1, sharex=True)
    for name, values in curves.parts.items():
        whole = name == "total"
        shown = _positive(values)
        above.plot(
            range(1, len(shown) + 1),
            shown,
            label=name,
            color="black" if whole else None,
            lw=1.8 - 0.8 * (not whole),
        )
    for name, values in curves.layers.items():
        below.plot(curves.snapshots, _positive(values), label=name, marker=".", ms=4, lw=1.0)
    for axis, what in (
        (above, "loss: the whole and its parts"),
        (below, "loss, layer by layer, at the snapshots"),
    ):
        axis.set(yscale="log", ylabel=what)
        axis.grid(visible=True, which="major", alpha=0.25)
        for begin, _ in curves.scales:
            axis.axvline(begin, color="0.6", lw=0.8, ls=":")
        axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    for begin, name in curves.scales:
        above.annotate(
            name,
            (begin, 1.0),
            (3, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
        )
    below.set_xlabel("evaluation of the objective")
    figure.suptitle(title, fontsize=10)
    return figure


def _positive(values: Sequence[float]) -> list[float]:
    return [max(value, FLOOR) for value in values]
