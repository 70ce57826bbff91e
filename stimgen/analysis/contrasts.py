"""Compares conditions by their proportions correct, and tells how large a difference the data exclude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.cells import split_groups
from stimgen.analysis.resampling import (
    CrossedCounts,
    Values,
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

CHUNK = 200
"""So many differences are computed at once."""
MOST_PAIRS = 2000
"""More pairs than these are not compared; somebody who has so many conditions looks at figures."""


@dataclass(frozen=True)
class _Samples:
    """Holds the means of cells with what is needed for intervals of their differences."""

    counts: CrossedCounts
    mean: Values
    draws: Values
    influences: Values

    @classmethod
    def draw(cls, table: TrialTable, settings: AnalysisSettings) -> _Samples:
        counts = cross_counts(table, table.factors)
        mean = counts.mean_proportions()
        draws = draw_means(counts, settings.resamples, settings.seed)
        return cls(counts, mean, draws, find_influences(counts, mean))

    def find_intervals(
        self, first: Sequence[int], second: Sequence[int] | None, confidence: float
    ) -> tuple[Values, Values, Values]:
        """Return means of cells, or their differences from others', with their limits.

        Where nothing varies between participants or sources, the limits are Wilson's of the pooled trials;
        for a difference, combined as Newcombe (1998) does.
        """
        parts = [
            self._find_part(first[i : i + CHUNK], second and second[i : i + CHUNK], confidence)
            for i in range(0, len(first), CHUNK)
        ]
        estimate, low, high = (np.concatenate(found) for found in zip(*parts, strict=True))
        return estimate, low, high

    def _find_part(
        self, first: Sequence[int], second: Sequence[int] | None, confidence: float
    ) -> tuple[Values, Values, Values]:
        a = list(first)
        estimate, draws, parts = self.mean[a], self.draws[:, a], self.influences[:, :, a]
        if second is not None:
            b = list(second)
            estimate = estimate - self.mean[b]
            draws = draws - self.draws[:, b]
            parts = parts - self.influences[:, :, b]
        found = find_mean_interval(estimate, draws, parts, confidence)
        low, high = self._pool(a, second, confidence)
        low, high = np.where(found.error > 0, (found.low, found.high), (low, high))
        return estimate, np.maximum(0.0 if second is None else -1.0, low), np.minimum(1.0, high)

    def _pool(
        self, first: Sequence[int], second: Sequence[int] | None, confidence: float
    ) -> tuple[Values, Values]:
        correct, trials = self.counts.correct.sum((0, 1)), self.counts.trials.sum((0, 1))
        low, high = find_wilson_interval(correct, trials, confidence)
        a = list(first)
        if second is None:
            return low[a], high[a]
        p, b = correct / np.maximum(trials, 1), list(second)
        difference = p[a] - p[b]
        down = np.hypot(p[a] - low[a], high[b] - p[b])
        up = np.hypot(high[a] - p[a], p[b] - low[b])
        return difference - down, difference + up


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
        pairs = _list_pairs(samples.counts.cells, group.factors)
        rows += [{"group": name, **row} for row in _compare(samples, pairs, settings, group)]
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
    samples: _Samples, pairs: list[tuple[str, int, int]], settings: AnalysisSettings, group: TrialTable
) -> Iterator[dict[str, Any]]:
    if not pairs:
        return
    cells = samples.counts.cells
    places = [first for _, first, _ in pairs], [second for _, _, second in pairs]
    intervals = samples.find_intervals(*places, settings.confidence)
    _, lower, upper = samples.find_intervals(*places, 2 * settings.confidence - 1)
    excludes = np.maximum(np.abs(lower), np.abs(upper))
    columns = {name: cells[name].tolist() for name in group.factors}
    for i, (factor, first, second) in enumerate(pairs):
        estimate, low, high = (float(values[i]) for values in intervals)
        yield {
            "factor": factor,
            "first": columns[factor][first],
            "second": columns[factor][second],
            **{name: "" if name == factor else columns[name][first] for name in group.factors},
            "difference": estimate,
            "low": low,
            "high": high,
            "excludes": float(excludes[i]),
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
        every = range(len(samples.mean))
        intervals = samples.find_intervals(every, None, 2 * settings.confidence - 1)
        for i in every:
            mean, low, high = (float(values[i]) for values in intervals)
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
