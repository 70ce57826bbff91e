"""Estimates perceptual scales from comparisons of pairs: maximum likelihood difference scaling (MLDS)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, sort_values
from stimgen.experiment.design.paradigms.item_subsets import split_items
from stimgen.reading.extras import import_optional

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
        trials.

    Raises
    ------
    StimgenError
        statsmodels is not installed.
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
    people = sort_values(frame["participant"])
    rows: list[dict[str, Any]] = []
    for person in [*(["all"] if len(people) > 1 else []), *people]:
        own = frame if person == "all" else frame[frame["participant"] == person]
        design = _build_design([split_items(value) for value in own[column]], items)
        answers = np.asarray(own[LARGER] == "high", dtype=np.float64)
        scale, errors = _fit_probit(design, answers)
        z = _find_quantile(settings.confidence)
        for item, value, error in zip(items, scale, errors, strict=True):
            rows.append(
                {
                    "participant": person,
                    "item": item,
                    "trials": len(own),
                    "scale": value,
                    "low": value - z * error,
                    "high": value + z * error,
                    "normalized": value / scale[-1] if scale[-1] else float("nan"),
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


def _build_design(subsets: Sequence[Sequence[str]], items: Sequence[str]) -> NDArray[np.float64]:
    """Return the weights of the scale values, without the first item's, in each trial."""
    places = {item: i for i, item in enumerate(items)}
    design = np.zeros((len(subsets), len(items)))
    for row, subset in enumerate(subsets):
        a, b, c, d = subset if len(subset) == 4 else (subset[0], subset[1], subset[1], subset[2])
        for item, weight in ((a, 1.0), (b, -1.0), (c, -1.0), (d, 1.0)):
            design[row, places[item]] += weight
    return design[:, 1:]


def _fit_probit(
    design: NDArray[np.float64], answers: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients, after a 0 for the first item, and their standard errors."""
    api: Any = import_optional("statsmodels.api", "analysis", "difference scaling")
    family = api.families.Binomial(link=api.families.links.Probit())
    nothing = np.full(design.shape[1] + 1, np.nan)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return nothing, nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of answers without noise, which are recognised below
        found = api.GLM(answers, design, family=family).fit()
    errors = np.asarray(found.bse, dtype=float)
    if not np.isfinite(errors).all() or errors.max() > 100:
        return nothing, nothing
    return np.concatenate([[0.0], found.params]), np.concatenate([[0.0], errors])


def _find_quantile(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))
