"""Compares conditions by their proportions correct, and tells how large a difference the data exclude."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stimgen.analysis.cells import split_groups
from stimgen.analysis.resampling import (
    CrossedCounts,
    cross_counts,
    draw_means,
    find_influences,
    find_mean_interval,
)
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.sensitivity import find_wilson_interval

if TYPE_CHECKING:
    import pandas as pd

MOST_PAIRS = 2000
"""More pairs than these are not compared; somebody who has so many conditions looks at figures."""


@dataclass(frozen=True)
class _Samples:
    """Holds the means of cells with what is needed for intervals of their differences."""

    counts: CrossedCounts
    mean: NDArray[np.float64]
    draws: NDArray[np.float64]
    influences: NDArray[np.float64]

    @classmethod
    def draw(cls, table: TrialTable, settings: AnalysisSettings) -> _Samples:
        counts = cross_counts(table, table.factors)
        mean = counts.mean_proportions()
        draws = draw_means(counts, settings.resamples, settings.seed)
        return cls(counts, mean, draws, find_influences(counts, mean))

    def find_interval(self, first: int, second: int | None, confidence: float) -> tuple[float, float, float]:
        """Return a cell's mean, or its difference from another's, with its limits.

        Where nothing varies between participants or sources, the limits are Wilson's of the pooled trials;
        for a difference, combined as Newcombe (1998) does.
        """
        estimate, draws, parts = self.mean[first], self.draws[:, first], self.influences[:, :, first]
        if second is not None:
            estimate = estimate - self.mean[second]
            draws = draws - self.draws[:, second]
            parts = parts - self.influences[:, :, second]
        found = find_mean_interval(np.array([estimate]), draws[:, None], parts[:, :, None], confidence)
        low, high = float(found.low[0]), float(found.high[0])
        if not found.error[0] > 0:
            low, high = self._pool(first, second, confidence)
        least = 0.0 if second is None else -1.0
        return float(estimate), max(least, low), min(1.0, high)

    def _pool(self, first: int, second: int | None, confidence: float) -> tuple[float, float]:
        correct, trials = self.counts.correct.sum((0, 1)), self.counts.trials.sum((0, 1))
        low, high = find_wilson_interval(correct, trials, confidence)
        if second is None:
            return float(low[first]), float(high[first])
        p = correct / np.maximum(trials, 1)
        difference = p[first] - p[second]
        down = np.hypot(p[first] - low[first], high[second] - p[second])
        up = np.hypot(high[first] - p[first], p[second] - low[second])
        return float(difference - down), float(difference + up)


def compute_contrasts(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the differences between every two values of each factor, the other factors being equal.

    Intervals are those of `compute_group_accuracy`, for the difference of the means over participants: both
    conditions share their participants and sources. They are for one difference each, and are not widened
    for the number of differences.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame or None
        ``group``; ``factor`` that differs, with its values ``first`` and ``second``; the other factors, empty
        where it is theirs; ``difference`` in proportion correct, first minus second, with ``low`` and
        ``high``; ``excludes``: the largest difference in either direction that agrees with the data in two
        one-sided tests, so that the data exclude every larger one. None without two cells.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, group in split_groups(table):
        if not len(group.counted) or not group.factors:
            continue
        samples = _Samples.draw(group, settings)
        for factor, first, second in _list_pairs(samples.counts.cells, group.factors):
            rows.append({"group": name, **_compare(samples, (factor, first, second), settings, group)})
    return pd.DataFrame(rows) if rows else None


def _list_pairs(cells: pd.DataFrame, factors: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return pairs of cells that differ in one factor."""
    found = []
    for factor in factors:
        others = [name for name in factors if name != factor]
        grouped = cells.groupby(others, sort=False).indices.values() if others else [range(len(cells))]
        found += [(factor, int(a), int(b)) for places in grouped for a, b in combinations(places, 2)]
    return found if len(found) <= MOST_PAIRS else []


def _compare(
    samples: _Samples, pair: tuple[str, int, int], settings: AnalysisSettings, group: TrialTable
) -> dict[str, Any]:
    factor, first, second = pair
    cells = samples.counts.cells
    estimate, low, high = samples.find_interval(first, second, settings.confidence)
    _, lower, upper = samples.find_interval(first, second, 2 * settings.confidence - 1)
    return {
        "factor": factor,
        "first": cells[factor].iloc[first],
        "second": cells[factor].iloc[second],
        **{name: "" if name == factor else cells[name].iloc[first] for name in group.factors},
        "difference": estimate,
        "low": low,
        "high": high,
        "excludes": max(abs(lower), abs(upper)),
    }


def compute_equivalence(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return how far above chance each cell can be, by the data.

    "Could not be told apart" is a statement about the largest difference that the data exclude, and not about
    a test that found nothing.

    Parameters
    ----------
    table : TrialTable
        The trials, with the chance of their task.
    settings : AnalysisSettings
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame or None
        ``group`` and the factors; ``above_chance``: mean over participants minus chance; ``low`` and
        ``high``: limits of two one-sided tests, each at the confidence; ``excludes``: the smallest distance
        above chance that the data exclude, ``high`` or 0; ``largest_dprime``: the d' of that proportion, by
        the task's model. None where chance is not known.
    """
    import pandas as pd

    if table.chance is None:
        return None
    rows: list[dict[str, Any]] = []
    for name, group in split_groups(table):
        if not len(group.counted):
            continue
        samples = _Samples.draw(group, settings)
        for i in range(len(samples.mean)):
            mean, low, high = samples.find_interval(i, None, 2 * settings.confidence - 1)
            cell = {key: samples.counts.cells[key].iloc[i] for key in group.factors}
            highest = max(high, table.chance)
            rows.append(
                {
                    "group": name,
                    **cell,
                    "above_chance": mean - table.chance,
                    "low": low - table.chance,
                    "high": high - table.chance,
                    "excludes": highest - table.chance,
                    "largest_dprime": _find_dprime(table, highest),
                }
            )
    return pd.DataFrame(rows) if rows else None


def _find_dprime(table: TrialTable, proportion: float) -> float:
    if table.model is None or table.model.has_rates or np.isnan(proportion):
        return float("nan")
    return float(table.model.invert(proportion))
