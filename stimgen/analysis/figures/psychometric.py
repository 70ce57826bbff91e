"""Draws psychometric functions with the data that they were fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.figures.cells import MOST_PANELS, MOST_SERIES
from stimgen.analysis.figures.style import (
    COLOURS,
    MARKERS,
    format_label,
    format_title,
    make_panels,
    scale_proportions,
    use_style,
)
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.analysis.psychometric_curve import Curve

if TYPE_CHECKING:
    import pandas as pd

POINTS = 200
LARGEST_AREA = 60.0


def draw_psychometric_functions(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``thresholds`` and ``accuracy_by_level``; None without levels.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Chance, the task's model and the name of the level.

    Returns
    -------
    ResultFigure or None
        A panel for each participant, after one for everybody; the area of a point grows with its trials.
    """
    fits, data = tables.get("thresholds"), tables.get("accuracy_by_level")
    if fits is None or data is None or not len(data):
        return None
    people = list(dict.fromkeys(fits["participant"]))
    shown = people[:MOST_PANELS]
    keys = [name for name in subject.factors if name in fits.columns and name != "participant"]
    series = data[keys].drop_duplicates().to_dict("records")[:MOST_SERIES] if keys else [{}]
    largest = float(data["trials"].max())
    is_log = bool((fits["scale"] == "logarithmic").all()) and bool((data["level"] > 0).all())
    with use_style():
        figure, panels = make_panels(len(shown), 4, (2.9, 2.5), sharex=True, sharey=True)
        for person, panel in zip(shown, panels, strict=True):
            for i, values in enumerate(series):
                chosen = {"participant": person, **values}
                points, rows = _select(data, chosen), _select(fits, chosen)
                _draw_points(panel, points, i, largest, ", ".join(map(format_label, values.values())))
                for row in rows.to_dict("records"):
                    _draw_fit(panel, {str(k): v for k, v in row.items()}, points, i, subject)
            panel.set_title(_title(person, people, subject))
            scale_proportions(panel, subject.chance)
            if is_log:
                panel.set_xscale("log")
                _label_levels(panel, sorted(set(data["level"])))
        figure.supxlabel(format_title(subject.level), fontsize=9)
        figure.supylabel("Proportion correct", fontsize=9)
        if keys:
            title = ", ".join(map(format_title, keys))
            handles, labels = panels[0].get_legend_handles_labels()
            if handles:
                figure.legend(
                    handles, labels, title=title, loc="outside upper center", ncols=min(len(series), 4)
                )
    return ResultFigure(figure, "Psychometric functions", _caption(subject, fits, len(people) - len(shown)))


def _select(frame: pd.DataFrame, values: dict[Any, Any]) -> pd.DataFrame:
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame


def _title(person: str, people: list[str], subject: FigureSubject) -> str:
    if person == EVERYBODY:
        return f"all: {subject.count_participants(len(people) - 1)}"
    return f"{'Participant' if subject.is_person else 'Simulated observer'} {format_label(person)}"


def _draw_points(panel: Any, points: pd.DataFrame, number: int, largest: float, label: str) -> None:
    if not len(points):
        return
    value, low, high = (points[key].to_numpy(dtype=float) for key in ("proportion", "low", "high"))
    colour = COLOURS[number]
    panel.vlines(points["level"], low, high, color=colour, linewidth=0.8, alpha=0.5, zorder=1)
    panel.scatter(
        points["level"],
        value,
        s=8.0 + LARGEST_AREA * points["trials"].to_numpy(dtype=float) / largest,
        color=colour,
        marker=MARKERS[number],
        edgecolors="white",
        linewidths=0.5,
        alpha=0.85,
        label=label or None,
        zorder=2,
    )


def _draw_fit(
    panel: Any, row: dict[str, Any], points: pd.DataFrame, number: int, subject: FigureSubject
) -> None:
    """Draw the curve, and the threshold's interval on the height of the threshold."""
    threshold = row.get("threshold")
    if threshold is None or threshold != threshold or not len(points):
        return
    curve = Curve(row["function"], subject.chance or 0.0, row["scale"] == "logarithmic", subject.model)
    low, high = float(points["level"].min()), float(points["level"].max())
    levels = np.geomspace(low, high, POINTS) if curve.is_log else np.linspace(low, high, POINTS)
    place = curve.to_axis(np.array(float(threshold)))
    slope, lapse = np.array(float(row["slope"])), np.array(float(row["lapse"]))
    found = curve.predict(curve.to_axis(levels), place, slope, lapse)
    colour = COLOURS[number]
    panel.plot(levels, found, color=colour, zorder=3)
    ends = [float(row["threshold_low"]), float(row["threshold_high"])]
    if all(np.isfinite(ends)) and low <= threshold <= high:
        inside = np.clip(ends, low, high)
        panel.plot(inside, [row["performance"]] * 2, color=colour, linewidth=2.4, alpha=0.5, zorder=3)
        panel.plot([threshold], [row["performance"]], "|", color=colour, markersize=9, zorder=4)


def _label_levels(panel: Any, levels: list[float]) -> None:
    """Label a logarithmic axis with some of the levels themselves."""
    from matplotlib.ticker import NullFormatter, NullLocator

    step = -(-len(levels) // 5)
    chosen = levels[::step]
    panel.set_xticks(chosen, [f"{one:.3g}" for one in chosen])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_minor_formatter(NullFormatter())


def _caption(subject: FigureSubject, fits: pd.DataFrame, hidden: int) -> str:
    names = ", ".join(sorted(set(map(str, fits["function"])))).replace("_", " ")
    unfitted = int(fits["threshold"].isna().sum()) if "threshold" in fits else len(fits)
    lacking = f" {unfitted} functions could not be fitted, for lack of levels." if unfitted else ""
    more = f" {hidden} more participants are in the table." if hidden else ""
    pooled = (
        " The curve of all participants' trials is flatter than anybody's own."
        if (fits["participant"] == EVERYBODY).any()
        else ""
    )
    return (
        f"Proportion correct against {format_label(subject.level)}, with {subject.percent} Wilson intervals; "
        f"the area of a symbol grows with its trials. Lines: {names} functions, fitted by maximum likelihood;"
        f" horizontal bars: {subject.percent} intervals of the thresholds, where they have limits."
        f"{pooled}{lacking}{more}"
    )
