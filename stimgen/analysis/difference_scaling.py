"""Estimates perceptual scales from comparisons of pairs: maximum likelihood difference scaling (MLDS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stimgen.analysis.quantiles import find_normal_quantile
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, sort_values
from stimgen.experiment.design.paradigms.item_subsets import split_items
from stimgen.sensitivity.difference_scaling import fit_difference_scale

if TYPE_CHECKING:
    import pandas as pd

LARGER = "larger"
"""Column that says which pair was judged to differ more: ``low`` or ``high``, by its place on the scale."""
SUBSETS = ("quadruple", "triad")
"""Columns of the items of a trial, in their order along the scale, joined by +."""


def compute_difference_scale(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the perceptual scale of each participant, and of all together.

    The observer says that the higher pair differs more where ``(psi_d - psi_c) - (psi_b - psi_a)`` plus
    normal noise is positive (Maloney & Yang 2003). That is a probit regression, of which the scale values are
    the coefficients (Knoblauch & Maloney 2008); the first is 0, and the noise has a standard deviation of 1.

    Parameters
    ----------
    table : TrialTable
        Trials with a column ``quadruple`` or ``triad``, and ``larger``.
    settings : AnalysisSettings
        Confidence of Wald's intervals.

    Returns
    -------
    DataFrame or None
        ``participant`` (``all``: trials pooled), ``item`` in the order of the scale, ``trials``, ``scale``
        with ``low`` and ``high`` in standard deviations of the noise, and ``normalized``: the scale over
        that of the last item. Not a number where answers do not determine the scale. None without such
        trials, or with fewer than three items.
    """
    import pandas as pd

    column = next((name for name in SUBSETS if name in table.frame.columns), None)
    if column is None or LARGER not in table.frame.columns:
        return None
    frame = table.eligible
    frame = frame[(frame[LARGER] != "") & (frame[column] != "")]
    if not len(frame):
        return None
    items = order_items([split_items(value) for value in dict.fromkeys(frame[column])])
    if len(items) < 3:
        return None
    people = sort_values(frame["participant"])
    rows: list[dict[str, Any]] = []
    places = {item: i for i, item in enumerate(items)}
    z = find_normal_quantile(settings.confidence)
    for person in [*(["all"] if len(people) > 1 else []), *people]:
        own = frame if person == "all" else frame[frame["participant"] == person]
        shown = [[places[item] for item in split_items(value)] for value in own[column]]
        found = fit_difference_scale(shown, [one == "high" for one in own[LARGER]], len(items))
        for item, value, error, normalized in zip(
            items, found.scale, found.errors, found.values, strict=True
        ):
            rows.append(
                {
                    "participant": person,
                    "item": item,
                    "trials": len(own),
                    "scale": value,
                    "low": value - z * error,
                    "high": value + z * error,
                    "normalized": normalized,
                }
            )
    return pd.DataFrame(rows)


def order_items(subsets: Sequence[Sequence[str]]) -> list[str]:
    """Return all items in the order along the scale that their subsets have.

    Examples
    --------
    >>> order_items([("a", "b", "d"), ("b", "c", "d")])
    ['a', 'b', 'c', 'd']
    """
    from graphlib import TopologicalSorter

    before: dict[str, set[str]] = {item: set() for subset in subsets for item in subset}
    for subset in subsets:
        for first, second in zip(subset, subset[1:], strict=False):
            before[second].add(first)
    return list(TopologicalSorter(before).static_order())
