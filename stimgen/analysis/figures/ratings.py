"""Draws mean ratings in the cells of the design."""

from __future__ import annotations

from stimgen.analysis.figures.cells import CellPlot, draw_cells
from stimgen.analysis.figures.style import format_label, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables


def draw_ratings(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``ratings``; None without ratings.

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
    found = tables.get("ratings")
    if found is None or not found["rating"].notna().any():
        return None
    factors = tuple(name for name in subject.factors if name in found.columns)
    counts = found.groupby("group", sort=False)["participants"].max()
    titles = {}
    for name, count in counts.items():
        people = subject.count_participants(int(count))
        titles[str(name)] = people if len(counts) == 1 else f"{format_label(name)}: {people}"
    plot = CellPlot(found.assign(value=found["rating"]), factors, "Mean rating", titles=titles)
    with use_style():
        figure, _ = draw_cells(plot)
    caption = f"Mean rating over participants, with {subject.percent} intervals (Student's t)."
    return ResultFigure(figure, "Ratings", caption)
