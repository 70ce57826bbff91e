"""Draws response times in the cells of the design."""

from __future__ import annotations

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.figures.accuracy import repeat_for_everybody, title_groups
from stimgen.analysis.figures.cells import CellPlot, draw_cells
from stimgen.analysis.figures.style import use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables


def draw_response_times(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``response_times``; None without response times.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors and who answered.

    Returns
    -------
    ResultFigure or None
        A panel for each group, the first of everybody.
    """
    found = tables.get("response_times")
    if found is None or not len(found):
        return None
    found = found.assign(value=found["median"])
    is_mean = found["participant"] == EVERYBODY
    means = found[is_mean].assign(low=found["lower"], high=found["upper"])
    factors = tuple(name for name in subject.factors if name in found.columns and name != "participant")
    members = repeat_for_everybody(found[~is_mean])
    titles = title_groups(means, members, subject)
    plot = CellPlot(means, factors, "Response time (s)", titles=titles, members=members)
    with use_style():
        figure, panels = draw_cells(plot)
        panels[0].set_ylim(bottom=0.0)
    several = members["participant"].nunique() > 1
    mean = "Means over participants of the median" if several else "Median"
    behind = " Small symbols are single participants' medians." if several else ""
    caption = (
        f"{mean} time from the onset of the first picture to the answer, in all trials that count. Bars "
        f"reach from the lower to the upper quartile.{behind}"
    )
    return ResultFigure(figure, "Response times", caption)
