"""Draws how well confidence tells correct from wrong answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stimgen.analysis.figures.style import COLOURS, GREY, MARKERS, make_panels, scale_proportions, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables

if TYPE_CHECKING:
    import pandas as pd


def draw_confidence(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``confidence``; None without ratings.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Chance, and who answered.

    Returns
    -------
    ResultFigure or None
        Proportion correct by rating, and the type-2 ROC; a line each participant.
    """
    found = tables.get("confidence")
    if found is None or not len(found):
        return None
    people = list(dict.fromkeys(found["participant"]))
    with use_style():
        figure, (left, right) = make_panels(2, 2, (3.0, 2.8))
        for name in people:
            own = found[found["participant"] == name]
            style = {"color": COLOURS[0], "alpha": 1.0 if len(people) == 1 else 0.5, "markersize": 4}
            left.plot(own["confidence"], own["proportion"], f"{MARKERS[0]}-", **style)
            _draw_roc(right, own, style)
        scale_proportions(left, subject.chance)
        left.set_xticks(sorted(set(found["confidence"])))
        left.set_xlabel("Confidence")
        left.set_ylabel("Proportion correct")
        right.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        right.set_aspect("equal")
        right.set_xlabel("Type-2 false-alarm rate")
        right.set_ylabel("Type-2 hit rate")
    areas = found.groupby("participant")["area"].first()
    known = areas.dropna()
    area = f" The mean area under the curves is {known.mean():.2f}." if len(known) else ""
    caption = (
        "Left: proportion correct at each rating of confidence. Right: type-2 ROC, the proportions of "
        "correct and of wrong answers with at least a rating. Lines are "
        f"{subject.count_participants(len(people))}; on the dashed diagonal, confidence tells nothing.{area}"
    )
    return ResultFigure(figure, "Confidence", caption)


def _draw_roc(panel: Any, own: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw the points of a participant from (0, 0), nothing, to (1, 1), all ratings."""
    ordered = own.sort_values("confidence", ascending=False)
    alarms, hits = ([0.0, *ordered[name].tolist()] for name in ("false_alarm_rate", "hit_rate"))
    panel.plot(alarms, hits, f"{MARKERS[0]}-", **style)
