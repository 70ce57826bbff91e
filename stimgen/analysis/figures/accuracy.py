"""Draws the proportion correct of groups in the cells of the design, with participants behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.figures.cells import CellPlot, draw_cells
from stimgen.analysis.figures.style import format_label, scale_proportions, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables

if TYPE_CHECKING:
    import pandas as pd


def draw_accuracy(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``accuracy`` and ``accuracy_by_participant``; None without trials.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors, chance and who answered.

    Returns
    -------
    ResultFigure or None
        A panel for each group, the first of everybody.
    """
    means = tables.get("accuracy")
    if means is None or not means["trials"].sum():
        return None
    means = means.assign(value=means["mean"], low=means["mean_low"], high=means["mean_high"])
    factors = tuple(name for name in subject.factors if name in means.columns)
    people = tables.get("accuracy_by_participant")
    members = None if people is None else repeat_for_everybody(people.assign(value=people["proportion"]))
    titles = title_groups(means, members, subject)
    plot = CellPlot(means, factors, "Proportion correct", titles=titles, members=members)
    with use_style():
        figure, panels = draw_cells(plot)
        for panel in panels:
            scale_proportions(panel, subject.chance)
    return ResultFigure(figure, "Proportion correct", _caption(subject, means, members))


def repeat_for_everybody(people: pd.DataFrame) -> pd.DataFrame:
    """Return rows of participants under their group and once more under the group of all."""
    import pandas as pd

    own = people[people["group"] != EVERYBODY]
    return pd.concat([own.assign(group=EVERYBODY), own], ignore_index=True)


def title_groups(means: pd.DataFrame, members: pd.DataFrame | None, subject: FigureSubject) -> dict[str, str]:
    """Return the titles of panels: the name of each group, with the number of its participants."""
    names = list(dict.fromkeys(means["group"]))
    titles = {}
    for name in names:
        own = None if members is None else members.loc[members["group"] == name, "participant"]
        count = "" if own is None else subject.count_participants(own.nunique())
        titles[name] = count if len(names) == 1 and count else f"{format_label(name)}: {count}".rstrip(": ")
    return titles


def _caption(subject: FigureSubject, means: pd.DataFrame, members: pd.DataFrame | None) -> str:
    count = 0 if members is None else members["participant"].nunique()
    interval = "; or ".join(kind for kind in dict.fromkeys(means["interval"]) if kind)
    behind = "; small symbols are single participants" if count > 1 else ""
    chance = "" if subject.chance is None else f" The dashed line is chance ({subject.chance:.3g})."
    return (
        f"Proportion correct, as mean over participants, with {subject.percent} intervals "
        f"({interval}){behind}.{chance}"
    )
