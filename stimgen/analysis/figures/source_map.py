"""Draws a map of proportions correct: sources by conditions, with their pictures along the sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.figures.sources import rank_sources
from stimgen.analysis.figures.style import format_label, format_title, label_places, make_panels, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables
from stimgen.analysis.figures.thumbnails import PICTURE_POINTS, place_picture, place_sources

if TYPE_CHECKING:
    import pandas as pd

MOST_SOURCES = 60
MOST_COLUMNS = 40
MOST_NUMBERS = 16
"""In wider maps, numbers would not fit into the cells."""


def draw_source_map(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the map of ``accuracy_by_source``; None with fewer than two sources or without trials.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Factors, chance, and the pictures, which stand along the sides where they are known.

    Returns
    -------
    ResultFigure or None
        Rows are sources, the easiest above; columns are conditions; the second factor has a map each.
    """
    found = tables.get("accuracy_by_source")
    if found is None or not found["trials"].sum() or found["source"].nunique() < 2:
        return None
    factors = [name for name in subject.factors if name in found.columns and name != "source"][:2]
    names = rank_sources(tables)
    shown = names[:MOST_SOURCES]
    columns = list(dict.fromkeys(found[factors[0]]))[:MOST_COLUMNS] if factors else [""]
    parts = list(dict.fromkeys(found[factors[1]]))[:4] if len(factors) > 1 else [""]
    has_pictures = bool(subject.pictures.sources)
    side = 0.42 if has_pictures else 0.26
    width = 0.46 * len(columns) + 0.4
    height = side * len(shown) + (1.3 if has_pictures else 0.9)
    with use_style():
        figure, panels = make_panels(len(parts), len(parts), (max(2.2, width), height), sharey=True)
        figure.set_figwidth(figure.get_figwidth() + 2.2)
        image = None
        for part, panel in zip(parts, panels, strict=True):
            own = found if part == "" else found[found[factors[1]] == part]
            image = _draw_map(panel, _spread(own, factors[:1], shown, columns), subject.chance or 0.0)
            more = label_places(panel, columns, width)
            _title_map(panel, factors, part)
            _place_stimuli(panel, columns, shown, subject)
        panels[0].set_yticks(range(len(shown)), [format_label(name) for name in shown])
        place_sources(panels[0], shown, subject.pictures)
        figure.set_figheight(height + more)
        if factors:
            figure.supxlabel(format_title(factors[0]), fontsize=9)
        figure.colorbar(
            image, ax=panels, label="Proportion correct", shrink=min(1.0, 2.5 / height), aspect=15
        )
    example = choose_example(shown, columns, subject)
    return ResultFigure(figure, "Sources and conditions", _caption(subject, len(names) - len(shown), example))


def _spread(
    found: pd.DataFrame, factors: list[str], shown: list[str], columns: list[str]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return proportions by source and condition; NaN where nobody saw them."""
    values = np.full((len(shown), len(columns)), np.nan)
    rows, places = ({name: i for i, name in enumerate(names)} for names in (shown, columns))
    sums = found.groupby(["source", *factors], sort=False)[["correct", "trials"]].sum().reset_index()
    for row in sums.to_dict("records"):
        column = str(row[factors[0]]) if factors else ""
        if row["source"] in rows and column in places and row["trials"]:
            values[rows[row["source"]], places[column]] = row["correct"] / row["trials"]
    return values


def _draw_map(panel: Any, values: np.ndarray[Any, Any], chance: float) -> Any:
    image = panel.imshow(values, cmap="cividis", vmin=min(chance, 1.0), vmax=1.0, aspect="auto")
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    if values.shape[1] <= MOST_NUMBERS:
        for (i, j), value in np.ndenumerate(values):
            if value == value:
                text = "1.0" if value >= 0.995 else f"{value:.2f}"[1:]
                bright = value > chance + 0.55 * (1 - chance)
                panel.text(
                    j, i, text, ha="center", va="center", fontsize=7, color="black" if bright else "white"
                )
    return image


def _title_map(panel: Any, factors: list[str], part: str) -> None:
    if len(factors) > 1:
        panel.set_title(f"{format_title(factors[1])}: {format_label(part)}")


def _place_stimuli(panel: Any, columns: list[str], shown: list[str], subject: FigureSubject) -> None:
    """Put a stimulus of each condition above the map, all of one source."""
    stimuli = subject.pictures.stimuli
    source = choose_example(shown, columns, subject)
    if source is None:
        return
    panel.set_title(panel.get_title(), pad=PICTURE_POINTS + 10)
    for i, name in enumerate(columns):
        if (source, name) in stimuli:
            place_picture(panel, stimuli[source, name], (i, 1), (0, 4), ("data", "axes fraction"))


def choose_example(shown: list[str], columns: list[str], subject: FigureSubject) -> str | None:
    """Return the source with stimuli of most conditions, of several the easiest; None without stimuli."""
    counts = {name: sum((name, one) in subject.pictures.stimuli for one in columns) for name in shown}
    best = max(shown, key=counts.__getitem__)
    return best if counts[best] else None


def _caption(subject: FigureSubject, hidden: int, example: str | None) -> str:
    more = f" The {hidden} hardest sources are only in the table." if hidden else ""
    pictures = " The photographs stand beside their names" if subject.pictures.sources else ""
    if pictures:
        above = f", and above each condition a stimulus of {format_label(example)}" if example else ""
        pictures += f"{above}."
    chance = f"from chance ({subject.chance:.3g})" if subject.chance else "from 0"
    return (
        "Proportion correct of all participants' trials with each source (easiest above) in each condition; "
        f"colours reach {chance} to 1, and white cells have no trials.{pictures}{more}"
    )
