"""Draws d' over the pictures of streams, in which repetitions are to be found."""

from __future__ import annotations

from stimgen.analysis.figures.dprime import draw_sensitivity
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables


def draw_streams(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``streams``; None without the table, or without a finite d'.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors and who answered.

    Returns
    -------
    ResultFigure or None
        A panel for each group.
    """
    found = tables.get("streams")
    drawn = None if found is None else draw_sensitivity(found, subject)
    if drawn is None:
        return None
    caption = f"d' from hits and false alarms over all pictures of the streams. {drawn.caption}"
    return ResultFigure(drawn.figure, "Sensitivity in streams", caption)
