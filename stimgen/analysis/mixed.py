"""Makes the table of the mixed model: cells, contrasts, interactions, tests and standard deviations."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.mixed_fit import MixedFit, Values, fit_mixed_model
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd


def compute_mixed_model(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return estimates, contrasts, tests and deviations of the mixed model, as one table.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``kind`` is ``cell`` (with ``probability``: a correct answer of a typical participant with a typical
        source), ``contrast`` (a pair of values of a factor, averaged over other factors, or within one value
        of another), ``interaction`` (a difference of differences), ``test`` (Wald's chi-squared of a factor
        or of two factors together, with ``df`` and ``p``), or ``deviation`` (standard deviation between
        participants, sources, or of both in conditions). ``term`` names it; ``estimate``, ``low`` and
        ``high`` are in logits above the guess rate. None where there is nothing to compare.
    """
    import pandas as pd

    fit = fit_mixed_model(table)
    if fit is None:
        return None
    rows = [*_describe_cells(fit, settings), *_describe_contrasts(fit, settings), *_describe_tests(fit)]
    rows += [{"kind": "deviation", "term": name, "estimate": sd} for name, sd in fit.deviations.items()]
    columns = ["kind", "term", "estimate", "low", "high", "p", "probability", "chi2", "df"]
    return pd.DataFrame(rows, columns=columns)


def _describe(fit: MixedFit, weights: Values, settings: AnalysisSettings) -> dict[str, Any]:
    from scipy.special import ndtr, ndtri

    estimate, error = fit.find_contrast(weights)
    z = float(ndtri((1 + settings.confidence) / 2))
    p = 2 * float(ndtr(-abs(estimate) / error)) if error > 0 else float("nan")
    return {"estimate": estimate, "low": estimate - z * error, "high": estimate + z * error, "p": p}


def _describe_cells(fit: MixedFit, settings: AnalysisSettings) -> list[dict[str, Any]]:
    from scipy.special import expit

    rows = []
    for i, values in enumerate(fit.cells.itertuples(index=False, name=None)):
        found = _describe(fit, np.eye(len(fit.cells))[i], settings)
        probability = fit.guess + (1 - fit.guess) * float(expit(found["estimate"]))
        rows.append(
            {"kind": "cell", "term": ", ".join(values), **found, "p": None, "probability": probability}
        )
    return rows


def _describe_contrasts(fit: MixedFit, settings: AnalysisSettings) -> list[dict[str, Any]]:
    """Return contrasts of each factor: averaged over the others, within each of another, and interactions."""
    rows = []
    for factor in fit.cells.columns:
        values = list(dict.fromkeys(fit.cells[factor]))
        if len(values) > 30:
            continue
        for first, second in combinations(values, 2):
            pair = _average_of(fit, {factor: first}) - _average_of(fit, {factor: second})
            term = f"{first} - {second}"
            rows.append({"kind": "contrast", "term": term, **_describe(fit, pair, settings)})
            rows += _describe_within(fit, factor, (first, second), settings)
    return rows


def _describe_within(
    fit: MixedFit, factor: str, pair: tuple[str, str], settings: AnalysisSettings
) -> list[dict[str, Any]]:
    rows = []
    for other in (name for name in fit.cells.columns if name != factor):
        parts = {}
        for value in dict.fromkeys(fit.cells[other]):
            sides = [_average_of(fit, {factor: one, other: value}) for one in pair]
            if all(side.any() for side in sides):
                parts[value] = sides[0] - sides[1]
                found = _describe(fit, parts[value], settings)
                term = f"{pair[0]} - {pair[1]} in {value}"
                rows.append({"kind": "contrast", "term": term, **found})
        if list(fit.cells.columns).index(other) > list(fit.cells.columns).index(factor):
            for a, b in combinations(parts, 2):
                term = f"({pair[0]} - {pair[1]} in {a}) - ({pair[0]} - {pair[1]} in {b})"
                found = _describe(fit, parts[a] - parts[b], settings)
                rows.append({"kind": "interaction", "term": term, **found})
    return rows


def _average_of(fit: MixedFit, values: dict[str, str]) -> Values:
    """Return weights that average the cells with these values; zeros where there are none."""
    chosen = np.ones(len(fit.cells), dtype=bool)
    for name, value in values.items():
        chosen &= (fit.cells[name] == value).to_numpy()
    return chosen / max(1, int(chosen.sum()))


def _describe_tests(fit: MixedFit) -> list[dict[str, Any]]:
    """Return Wald tests of each factor's differences, and of the interactions of two factors."""
    from scipy.special import chdtrc

    rows = []
    columns = list(fit.cells.columns)
    for names in [(name,) for name in columns] + list(combinations(columns, 2)):
        lists = [list(dict.fromkeys(fit.cells[name])) for name in names]
        if any(not 2 <= len(values) <= 30 for values in lists):
            continue
        contrasts = _list_test_contrasts(fit, names, lists)
        if not len(contrasts):
            continue
        found = contrasts @ fit.means
        spread = contrasts @ fit.covariance @ contrasts.T
        value = float(found @ np.linalg.pinv(spread, hermitian=True) @ found)
        df = int(np.linalg.matrix_rank(contrasts))
        rows.append(
            {
                "kind": "test",
                "term": " x ".join(names),
                "chi2": value,
                "df": df,
                "p": float(chdtrc(df, value)),
            }
        )
    return rows


def _list_test_contrasts(fit: MixedFit, names: tuple[str, ...], lists: list[list[str]]) -> Values:
    if len(names) == 1:
        base = _average_of(fit, {names[0]: lists[0][0]})
        return np.array([_average_of(fit, {names[0]: value}) - base for value in lists[0][1:]])
    (first, second), (a, b) = names, lists

    def weigh(i: int, j: int) -> Values:
        return _average_of(fit, {first: a[i], second: b[j]})

    rows = []
    for i in range(1, len(a)):
        for j in range(1, len(b)):
            corners = (weigh(i, j), weigh(i, 0), weigh(0, j), weigh(0, 0))
            if all(corner.any() for corner in corners):
                rows.append(corners[0] - corners[1] - corners[2] + corners[3])
    return np.array(rows)
