"""Draws how similar the items of triplets are."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.figures.style import format_label, label_places, make_panels, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.analysis.figures.thumbnails import place_sources

MOST_ITEMS = 60
MOST_NUMBERS = 16
CHANCE = 1 / 3


def draw_similarity(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``similarity``; None without it, or with more items than a figure can show.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        The pictures, which stand beside items that are sources.

    Returns
    -------
    ResultFigure or None
        A symmetrical map of all pairs of items.
    """
    found = tables.get("similarity")
    if found is None or not found["trials"].sum():
        return None
    items = list(dict.fromkeys([*found["first"], *found["second"]]))
    if len(items) > MOST_ITEMS:
        return None
    places = {name: i for i, name in enumerate(items)}
    values = np.full((len(items), len(items)), np.nan)
    for row in found.to_dict("records"):
        i, j = places[row["first"]], places[row["second"]]
        values[i, j] = values[j, i] = row["similarity"]
    side = 0.42 if subject.pictures.sources else 0.34
    width = max(1.6, side * len(items))
    with use_style():
        figure, (panel,) = make_panels(1, 1, (width + 3.2, width + 0.8))
        image = panel.imshow(values, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
        if len(items) <= MOST_NUMBERS:
            for (i, j), value in np.ndenumerate(values):
                if value == value:
                    text = "1.0" if value >= 0.995 else f"{value:.2f}"[1:]
                    colour = "black" if value > 0.55 else "white"
                    panel.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
        panel.spines[:].set_visible(False)
        more = label_places(panel, items, width)
        panel.set_yticks(range(len(items)), [format_label(name) for name in items])
        panel.tick_params(length=0)
        place_sources(panel, items, subject.pictures)
        bar = figure.colorbar(image, ax=panel, label="Proportion of trials together")
        bar.ax.axhline(CHANCE, color="white", linewidth=1.0)
        figure.set_figheight(figure.get_figheight() + more)
    caption = (
        "How often two items stayed together, when one of three was chosen as the odd one. The line beside "
        "the colours is chance (1/3); pairs without trials are white."
    )
    return ResultFigure(figure, "Similarity", caption)
