"""Draws perceptual scales from comparisons of differences."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.figures.style import (
    COLOURS,
    GREY,
    MARKERS,
    format_label,
    label_places,
    make_panels,
    use_style,
)
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables


def draw_difference_scale(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``difference_scale``; None where the answers determine no scale.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Confidence of the intervals.

    Returns
    -------
    ResultFigure or None
        One panel: the scale of all participants with its intervals, and each participant's behind it.
    """
    found = tables.get("difference_scale")
    if found is None or not found["scale"].notna().any():
        return None
    items = list(dict.fromkeys(found["item"]))
    places = {name: i for i, name in enumerate(items)}
    people = [name for name in dict.fromkeys(found["participant"]) if name != EVERYBODY]
    main = EVERYBODY if len(people) > 1 else people[0]
    width = max(3.4, 0.45 * len(items) + 1.0)
    with use_style():
        figure, (panel,) = make_panels(1, 1, (width, 3.0))
        for name in people if main == EVERYBODY else ():
            own = found[found["participant"] == name]
            panel.plot(own["item"].map(places), own["scale"], color=GREY, linewidth=0.7, alpha=0.6, zorder=1)
        own = found[found["participant"] == main]
        low, value, high = (own[key].to_numpy(dtype=float) for key in ("low", "scale", "high"))
        if np.isfinite(value).any():
            bars = np.stack([value - low, high - value])
            style = {"fmt": f"{MARKERS[0]}-", "color": COLOURS[0], "markersize": 5, "zorder": 2}
            panel.errorbar(own["item"].map(places), value, bars, **style)
        more = label_places(panel, items, width - 0.7)
        panel.set_xlabel("Stimulus, in the order of the scale")
        panel.set_ylabel("Perceptual scale\n(SD of the decision noise)")
        figure.set_figheight(figure.get_figheight() + more)
    who = "all participants' trials" if main == EVERYBODY else f"participant {format_label(main)}"
    behind = "; grey lines are single participants" if main == EVERYBODY else ""
    lost = found.groupby("participant")["scale"].apply(lambda column: column.isna().all()).sum()
    lacking = (
        f" {lost} of the scales {'is' if lost == 1 else 'are'} not determined by the answers." if lost else ""
    )
    caption = (
        f"Difference scale of {who}, with {subject.percent} Wald intervals{behind}. The first stimulus is at "
        "0; one unit is the standard deviation of the noise of a decision."
        f"{lacking}"
    )
    return ResultFigure(figure, "Perceptual scale", caption)
