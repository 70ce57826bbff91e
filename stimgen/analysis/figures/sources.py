"""Draws the proportion correct with each source: one panel a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimgen.analysis.figures.cells import MOST_PANELS, CellPlot, draw_cells
from stimgen.analysis.figures.style import scale_proportions, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.sensitivity import find_wilson_interval

if TYPE_CHECKING:
    import pandas as pd


def draw_sources(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``accuracy_by_source``; None with fewer than two sources or without trials.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors and chance.

    Returns
    -------
    ResultFigure or None
        A panel for each source, the easiest first; of more than 48, the easiest and the hardest.
    """
    found = tables.get("accuracy_by_source")
    if found is None or not found["trials"].sum() or found["source"].nunique() < 2:
        return None
    names = rank_sources(tables)
    shown = names
    if len(names) > MOST_PANELS:
        shown = [*names[: MOST_PANELS // 2], *names[-MOST_PANELS // 2 :]]
    place = {name: i for i, name in enumerate(shown)}
    own = found[found["source"].isin(shown)]
    own = own.iloc[own["source"].map(place).argsort(kind="stable")]
    factors = [name for name in subject.factors if name in own.columns and name != "source"][:2]
    own = _pool(own, factors, subject.confidence)
    plot = CellPlot(own, tuple(factors), "Proportion correct", panels="source", columns=6, height=1.7)
    with use_style():
        figure, panels = draw_cells(plot)
        for panel in panels:
            scale_proportions(panel, subject.chance)
    part = f"The {len(shown)} easiest and hardest of {len(names)} sources" if len(names) > len(shown) else ""
    caption = (
        f"{part or 'Sources'}, the easiest first: proportion correct of all participants' trials, with "
        f"{subject.percent} Wilson intervals. The intervals take trials as independent, and are "
        "for single panels."
    )
    return ResultFigure(figure, "Proportion correct with each source", caption)


def rank_sources(tables: Tables) -> list[str]:
    """Return the sources from the easiest to the hardest, by their pooled proportion correct."""
    found = tables["accuracy_by_source"]
    sums = found.groupby("source", sort=False)[["correct", "trials"]].sum()
    share = (sums["correct"] / sums["trials"].where(sums["trials"] > 0)).fillna(-1.0)
    return [str(name) for name in share.sort_values(ascending=False, kind="stable").index]


def _pool(found: pd.DataFrame, factors: list[str], confidence: float) -> pd.DataFrame:
    """Return the proportions with further factors taken together."""
    keys = ["source", *factors]
    sums = found.groupby(keys, sort=False)[["correct", "trials"]].sum().reset_index()
    low, high = find_wilson_interval(sums["correct"], sums["trials"], confidence)
    value = sums["correct"] / sums["trials"].where(sums["trials"] > 0)
    return sums.assign(value=value, low=low, high=high)
