"""Draws the sources in the order of their difficulty, with their pictures."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.figures.style import COLOURS, GREY, format_label, make_panels, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.analysis.figures.thumbnails import place_sources

MOST_SOURCES = 60


def draw_source_ranking(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``source_ranking``; None with fewer than two sources or without trials.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Chance, and the pictures, which stand beside the names where they are known.

    Returns
    -------
    ResultFigure or None
        One row a source, the hardest above.
    """
    ranking = tables.get("source_ranking")
    if ranking is None or not ranking["trials"].sum() or len(ranking) < 2:
        return None
    found = ranking.head(MOST_SOURCES)
    names = list(found["source"])
    low, value, high = (found[key].to_numpy(dtype=float) for key in ("low", "mean", "high"))
    bars = np.maximum([value - low, high - value], 0.0)
    bars[~np.isfinite(bars)] = 0.0
    side = 0.42 if subject.pictures.sources else 0.22
    with use_style():
        figure, (panel,) = make_panels(1, 1, (5.2, 0.9 + side * len(names)))
        panel.errorbar(value, range(len(names)), xerr=bars, fmt="o", color=COLOURS[0], markersize=5)
        panel.set_yticks(range(len(names)), [format_label(name) for name in names])
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.set_xlim(-0.03, 1.05)
        panel.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", ".25", ".50", ".75", "1"])
        if subject.chance is not None:
            panel.axvline(subject.chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        panel.tick_params(axis="y", length=0)
        panel.set_xlabel("Proportion correct")
        place_sources(panel, names, subject.pictures)
    hidden = len(ranking) - len(found)
    more = f" The {hidden} easiest are only in the table." if hidden else ""
    caption = (
        "Proportion correct with each source, the hardest above: means over participants with "
        f"{subject.percent} intervals.{more}"
    )
    return ResultFigure(figure, "Sources in the order of their difficulty", caption)
