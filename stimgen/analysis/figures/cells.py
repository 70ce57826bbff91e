"""Draws values of cells of a design: means with intervals, and the participants behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.figures.style import (
    COLOURS,
    GREY,
    MARKERS,
    find_runs,
    format_label,
    format_title,
    label_places,
    make_panels,
)

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 6
MOST_PANELS = 48
MOST_SERIES = len(COLOURS)
MOST_PLACES = 60


@dataclass(frozen=True)
class CellPlot:
    """Describes a plot of cells.

    The first factor lies along the axis, the second gives colours and markers, and others give rows of
    panels.
    """

    means: pd.DataFrame
    """The column of panels, the factors, and ``value``, ``low`` and ``high``."""
    factors: tuple[str, ...]
    label: str
    """What the values are, with their unit."""
    panels: str = "group"
    """The column whose values have a panel each."""
    titles: dict[str, str] | None = None
    """Titles of the panels. [default: their values]"""
    members: pd.DataFrame | None = None
    """The column of panels, ``participant``, the factors and ``value``: what stands behind."""
    columns: int = 4
    height: float = 2.7

    @property
    def axis(self) -> list[str]:
        """Return the values along the axis."""
        return self._list_values(0)

    @property
    def series(self) -> list[str]:
        """Return the values that have a colour and a marker each."""
        return self._list_values(1)

    def _list_values(self, place: int) -> list[str]:
        if len(self.factors) <= place:
            return [""]
        return list(dict.fromkeys(map(str, self.means[self.factors[place]])))

    def split(self) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame | None]]:
        """Yield title, means and members of every panel, row by row."""
        rest = list(self.factors[2:])
        groups = list(dict.fromkeys(self.means[self.panels]))
        rows = self.means[rest].drop_duplicates().to_dict("records")[:MOST_ROWS] if rest else [{}]
        for row in rows:
            for name in groups:
                chosen = {self.panels: name, **{str(key): value for key, value in row.items()}}
                title = (self.titles or {}).get(name, format_label(name))
                more = [f"{format_title(str(key))}: {format_label(value)}" for key, value in row.items()]
                members = None if self.members is None else _select(self.members, chosen)
                yield "\n".join([title, *more]), _select(self.means, chosen), members


def _select(frame: pd.DataFrame, values: dict[str, Any]) -> pd.DataFrame:
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame


def draw_cells(plot: CellPlot) -> tuple[Any, list[Any]]:
    """Return a figure with a panel for each group (or source), and its panels."""
    split = list(plot.split())[:MOST_PANELS]
    axis, series = plot.axis[:MOST_PLACES], plot.series[:MOST_SERIES]
    groups = plot.means[plot.panels].nunique()
    columns = groups if len(plot.factors) > 2 and groups > 1 else plot.columns
    width = min(9.0, max(2.3, 0.6 + 0.127 * len(axis) * (1 + len(series))))
    columns = max(1, min(columns, int(11.7 / width)))
    figure, panels = make_panels(len(split), columns, (width, plot.height), sharex=True, sharey=True)
    for (title, means, members), panel in zip(split, panels, strict=True):
        panel.set_title(title)
        for i, name in enumerate(series):
            one = _CellSeries(plot, axis, i, len(series))
            own = means if len(plot.factors) < 2 else means[means[plot.factors[1]] == name]
            if members is not None:
                one.draw_members(panel, members if len(plot.factors) < 2 else _match(members, plot, name))
            one.draw_means(panel, own, format_label(name))
        more = label_places(panel, axis, width - 0.6)
        panel.set_xlim(-0.6, len(axis) - 0.4)
        panel.tick_params(axis="x", length=0)
    _label_figure(figure, panels, plot, len(series))
    titles = max(panel.get_title().count("\n") for panel in panels)
    figure.set_figheight(figure.get_figheight() + more + 0.16 * titles * -(-len(split) // columns))
    return figure, panels


def _match(members: pd.DataFrame, plot: CellPlot, name: str) -> pd.DataFrame:
    return members[members[plot.factors[1]] == name]


def _label_figure(figure: Any, panels: list[Any], plot: CellPlot, count: int) -> None:
    figure.supylabel(plot.label, fontsize=9)
    if plot.factors:
        figure.supxlabel(format_title(plot.factors[0]), fontsize=9)
    if len(plot.factors) > 1 and panels:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            title=format_title(plot.factors[1]),
            loc="outside upper center",
            ncols=min(count, 5),
        )


@dataclass(frozen=True)
class _CellSeries:
    """Draws the values of one colour, beside those of the others."""

    plot: CellPlot
    axis: list[str]
    number: int
    count: int

    @property
    def _shift(self) -> float:
        return (self.number - (self.count - 1) / 2) * self._step

    @property
    def _step(self) -> float:
        return 0.64 / max(2, self.count)

    def _find_places(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        if not self.plot.factors:
            return np.zeros(len(frame))
        numbers = {name: i for i, name in enumerate(self.axis)}
        names = frame[self.plot.factors[0]].astype(str)
        return np.array([numbers.get(name, float("nan")) for name in names], dtype=float)

    def draw_members(self, panel: Any, frame: pd.DataFrame) -> None:
        """Draw a point for each participant, always at the same place beside the middle."""
        people = sorted(set(frame["participant"]))
        if len(people) < 2:
            return
        order = {name: i for i, name in enumerate(people)}
        beside = np.array([order[name] / (len(people) - 1) - 0.5 for name in frame["participant"]])
        x = self._find_places(frame) + self._shift + 0.62 * self._step * beside
        size = 9.0 if len(people) <= 40 else 4.0
        panel.scatter(
            x,
            frame["value"],
            s=size,
            color=COLOURS[self.number],
            marker=MARKERS[self.number],
            alpha=0.35,
            linewidths=0,
            zorder=1,
        )

    def draw_means(self, panel: Any, frame: pd.DataFrame, name: str) -> None:
        """Draw means with their intervals, and lines between neighbours on a scale."""
        colour = COLOURS[self.number]
        x = self._find_places(frame)
        low, value, high = (frame[key].to_numpy(dtype=float) for key in ("low", "value", "high"))
        bars = np.maximum([value - low, high - value], 0.0)
        bars[~np.isfinite(bars)] = 0.0
        y_by_place = dict(zip(x.tolist(), value.tolist(), strict=True))
        for run in find_runs(self.axis):
            points = [(i + self._shift, y_by_place[i]) for i in run if i in y_by_place]
            if len(points) > 1:
                panel.plot(*zip(*points, strict=True), color=colour, linewidth=0.8, alpha=0.6, zorder=2)
        panel.errorbar(
            x + self._shift,
            value,
            yerr=bars,
            fmt=MARKERS[self.number],
            color=colour,
            markersize=5.5,
            markeredgecolor="white",
            markeredgewidth=0.6,
            elinewidth=1.4,
            capsize=0,
            label=name,
            zorder=3,
        )


def mark_reference(panels: list[Any], height: float) -> None:
    """Draw a dashed line through all panels."""
    for panel in panels:
        panel.axhline(height, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
