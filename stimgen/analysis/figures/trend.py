"""Draws proportion correct over the trials of the sessions."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.figures.style import COLOURS, make_panels, scale_proportions, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables


def draw_trend(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``trend``; None without the table or without trials.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Chance, and the confidence of intervals.

    Returns
    -------
    ResultFigure or None
        One panel: tenths of the sessions along the axis.
    """
    found = tables.get("trend")
    if found is None or not found["trials"].sum():
        return None
    part, value, low, high = (
        found[key].to_numpy(dtype=float) for key in ("part", "proportion", "low", "high")
    )
    with use_style():
        figure, (panel,) = make_panels(1, 1, (4.0, 2.6))
        bars = np.stack([value - low, high - value])
        panel.errorbar(part, value, bars, fmt="o-", color=COLOURS[0], markersize=5)
        scale_proportions(panel, subject.chance)
        panel.set_xticks(part)
        panel.set_xlabel("Tenth of the session's trials")
        panel.set_ylabel("Proportion correct")
    change, least, most = (float(found[key].iloc[0]) for key in ("change", "change_low", "change_high"))
    slope = ""
    if change == change:
        slope = f" From beginning to end, participants' proportions change by {change:+.3f} on average"
        slope += f" ({subject.percent} interval {least:+.3f} to {most:+.3f})." if least == least else "."
    what = "Proportion correct over the sessions, all trials pooled, with"
    caption = f"{what} {subject.percent} Wilson intervals.{slope}".replace("-0.", "\u22120.")
    return ResultFigure(figure, "Practice and fatigue", caption)
