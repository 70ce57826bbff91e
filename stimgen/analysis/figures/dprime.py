"""Draws d' of participants and their mean in the cells of the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.figures.accuracy import repeat_for_everybody, title_groups
from stimgen.analysis.figures.cells import CellPlot, draw_cells, mark_reference
from stimgen.analysis.figures.style import use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.analysis.quantiles import find_student_quantile

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3


def draw_dprime(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``dprime``; None without the table, or without a finite d'.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors, the task's model and who answered.

    Returns
    -------
    ResultFigure or None
        A panel for each group: means over participants with Student's intervals, or one participant's d' with
        its own interval.
    """
    found = tables.get("dprime")
    if found is None or "participant" not in found.columns:
        return None
    drawn = draw_sensitivity(found[found["trials"] > 0], subject)
    if drawn is None:
        return None
    model = f" for {subject.model.text}" if subject.model else ""
    return ResultFigure(drawn.figure, drawn.title, f"d'{model}. {drawn.caption}")


def draw_sensitivity(found: pd.DataFrame, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of a table with d' of participants in cells; None without a finite d'."""
    finite = found[np.isfinite(found["dprime"].astype(float))]
    if not len(finite):
        return None
    factors = tuple(name for name in subject.factors if name in found.columns and name != "participant")
    members = repeat_for_everybody(finite.assign(value=finite["dprime"]))
    if finite["group"].nunique() < 2:
        members = members[members["group"] == EVERYBODY]
    means = _average(members, list(factors), subject.confidence)
    titles = title_groups(means, members, subject)
    plot = CellPlot(means, factors, "Sensitivity (d')", titles=titles, members=members)
    with use_style():
        figure, panels = draw_cells(plot)
        mark_reference(panels, 0.0)
    return ResultFigure(figure, "Sensitivity", _caption(subject, found, finite))


def _average(members: pd.DataFrame, factors: list[str], confidence: float) -> pd.DataFrame:
    """Return means over participants with Student's intervals; those of one participant are the table's."""
    grouped = members.groupby(["group", *factors], sort=False)
    found = grouped["value"].agg(["mean", "std", "count"]).reset_index()
    single = grouped[["low", "high"]].first().reset_index()
    count = found["count"].to_numpy(dtype=float)
    half = find_student_quantile(confidence, np.maximum(count - 1, 1)) * found["std"] / np.sqrt(count)
    # The interval of two participants is as wide as the axis, and tells nothing.
    half = np.where(count >= FEWEST, half, np.nan)
    low = np.where(count > 1, found["mean"] - half, single["low"])
    high = np.where(count > 1, found["mean"] + half, single["high"])
    return found.assign(value=found["mean"], low=low, high=high)


def _caption(subject: FigureSubject, found: pd.DataFrame, finite: pd.DataFrame) -> str:
    several = finite["participant"].nunique() > 1
    left_out = len(found) - len(finite)
    what = (
        f"Means over participants with {subject.percent} intervals (Student's t, from three participants on);"
        " small symbols are single participants"
        if several
        else f"One participant's d' with {subject.percent} intervals"
    )
    correction = ", ".join(sorted(set(map(str, found["correction"]))))
    lost = f" {left_out} infinite values are left out." if left_out else ""
    if np.isinf(finite[["low", "high"]].to_numpy(dtype=float)).any() and not several:
        lost += " Infinite limits are not drawn."
    return f"{what}. Correction of proportions of 0 and 1: {correction}.{lost}"
