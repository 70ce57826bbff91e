"""Draws participants and sources with replacement, for intervals of the means over participants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stimgen.analysis.cells import list_cells
from stimgen.analysis.quantiles import find_normal_quantile, find_student_quantile
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

Values = NDArray[np.float64]
CHUNK = 4_000_000
FEWEST_PARTICIPANTS, FEWEST_SOURCES = 3, 5
"""With fewer, the spread between them is hardly known, and the result holds for these only."""


@dataclass(frozen=True)
class CrossedCounts:
    """Holds correct trials and all trials by participant, source and cell."""

    correct: Values
    """One axis each for participants, sources and cells."""
    trials: Values
    cells: pd.DataFrame
    """The cells of the last axis."""
    participants: tuple[str, ...]
    sources: tuple[str, ...]

    def mean_proportions(self) -> Values:
        """Return the mean over participants of their proportions correct, for each cell; NaN without any."""
        ones = np.ones((1, len(self.correct)))
        found: Values = _average(self.correct.sum(1)[None], self.trials.sum(1)[None], ones)[0]
        return found


def cross_counts(table: TrialTable, keys: Sequence[str]) -> CrossedCounts:
    """Count the trials of a table by participant, source and the cells of the columns `keys`."""
    frame = table.counted
    cells = list_cells(table, keys) if keys else frame.iloc[:1][[]].reset_index(drop=True)
    participants, sources = (tuple(sorted(set(frame[name]))) for name in ("participant", "source"))
    shape = (len(participants), len(sources), max(1, len(cells)))
    where = [_find_codes(frame[name], names) for name, names in zip(
        ("participant", "source"), (participants, sources), strict=True
    )]  # fmt: skip
    where.append(_find_cells(frame, cells, keys))
    correct, trials = np.zeros(shape), np.zeros(shape)
    np.add.at(trials, tuple(where), 1.0)
    np.add.at(correct, tuple(where), frame["correct"].to_numpy(dtype=float))
    return CrossedCounts(correct, trials, cells, participants, sources)


def _find_codes(values: pd.Series, names: Sequence[str]) -> NDArray[np.int64]:
    import pandas as pd

    return np.asarray(pd.Index(names).get_indexer(pd.Index(values)), dtype=np.int64)


def _find_cells(frame: pd.DataFrame, cells: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the cell of each trial."""
    of_trials, of_cells = np.zeros(len(frame), dtype=np.int64), np.zeros(max(1, len(cells)), dtype=np.int64)
    for name in keys:
        values = list(dict.fromkeys(cells[name]))
        of_trials = of_trials * len(values) + _find_codes(frame[name], values)
        of_cells = of_cells * len(values) + _find_codes(cells[name], values)
    order = np.argsort(of_cells, kind="stable")
    return np.asarray(order[np.searchsorted(of_cells[order], of_trials)], dtype=np.int64)


def _average(correct: Values, trials: Values, weights: Values) -> Values:
    """Return weighted means over participants (axis 1) of proportions, leaving out those without trials."""
    seen = (trials > 0) * weights[:, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        proportions = np.where(trials > 0, correct / trials, 0.0)
        return np.asarray((proportions * seen).sum(1) / seen.sum(1))


def draw_means(counts: CrossedCounts, resamples: int, seed: int) -> Values:
    """Return bootstrap samples of the mean proportions.

    In each sample, participants are drawn with replacement, and sources are drawn with replacement; a trial
    weighs as often as its participant and its source were drawn. All cells of a sample share the draw, so
    that differences between cells keep their correlation.

    Parameters
    ----------
    counts : CrossedCounts
        What was counted.
    resamples : int
        Number of samples.
    seed : int
        Seed; the same gives the same samples.

    Returns
    -------
    ndarray
        One row a sample, one column a cell; NaN where no participant of the sample saw the cell.
    """
    rng = np.random.default_rng(seed)
    people, sources, cells = counts.trials.shape
    found = np.empty((resamples, cells))
    step = max(1, CHUNK // max(1, people * cells))
    flat = [a.transpose(1, 0, 2).reshape(sources, people * cells) for a in (counts.correct, counts.trials)]
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        of_people = rng.multinomial(people, np.full(people, 1 / people), size=size).astype(float)
        of_sources = rng.multinomial(sources, np.full(sources, 1 / sources), size=size).astype(float)
        correct, trials = ((of_sources @ one).reshape(size, people, cells) for one in flat)
        found[start : start + size] = _average(correct, trials, of_people)
    return found


def find_influences(counts: CrossedCounts, mean: Values) -> Values:
    """Return by how much each participant's trials with each source move the mean of each cell."""
    totals = counts.trials.sum(1, keepdims=True)
    seen = np.maximum((totals > 0).sum(0, keepdims=True), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = (counts.correct - np.nan_to_num(mean) * counts.trials) / totals / seen
    return np.where(totals > 0, parts, 0.0)


@dataclass(frozen=True)
class MeanInterval:
    """Holds the limits of means or of their differences, and the standard errors that they agree with."""

    low: Values
    high: Values
    error: Values


def find_mean_interval(
    estimate: Values, draws: Values, influences: Values, confidence: float
) -> MeanInterval:
    """Return the bootstrap interval of means over participants and sources.

    The samples give the shape of the interval. Their spread counts the chance of single trials three times
    (Owen 2007), so that it is scaled to the two-way variance: that between participants, plus that between
    sources, minus that between their combinations (Cameron, Gelbach & Miller 2011), with quantiles of
    Student's t for the small numbers of both.

    Parameters
    ----------
    estimate : ndarray
        The means, or differences between them.
    draws : ndarray
        Their bootstrap samples, one row each.
    influences : ndarray
        What participants and sources (the first two axes) contribute to each; see `find_influences`.
    confidence : float
        Confidence between 0 and 1.

    Returns
    -------
    MeanInterval
        Fewer than three participants, or five sources, are held fixed: the interval is for these only. NaN
        where both are held fixed, or all are alike.
    """
    # A participant or a source without trials in a cell does not count among those that vary.
    people = (np.abs(influences).sum(1) > 0).sum(0)
    sources = (np.abs(influences).sum(0) > 0).sum(0)
    by_people, by_sources = np.square(influences.sum(1)).sum(0), np.square(influences.sum(0)).sum(0)
    single = np.square(influences).sum((0, 1))
    many_people, many_sources = people >= FEWEST_PARTICIPANTS, sources >= FEWEST_SOURCES
    with np.errstate(invalid="ignore", divide="ignore"):
        of_people = np.where(many_people, by_people * people / (people - 1), 0.0)
        of_sources = np.where(many_sources, by_sources * sources / (sources - 1), 0.0)
        both = np.maximum(of_people + of_sources - single, single)
        variance = np.where(many_people & many_sources, both, of_people + of_sources)
        free = np.square(of_people + of_sources) / (
            np.where(many_people, of_people**2 / (people - 1), 0.0)
            + np.where(many_sources, of_sources**2 / (sources - 1), 0.0)
        )
        # A cell that nobody saw has only NaN, of which NumPy would warn.
        draws = np.where(np.isnan(estimate), 0.0, draws)
        spread = np.nanstd(draws, axis=0)
        student, normal = find_student_quantile(confidence, free), find_normal_quantile(confidence)
        scale = np.sqrt(variance) / spread * student / normal
        # The function for samples without any is many times slower, and rarely needed.
        find_quantiles = np.nanquantile if np.isnan(draws).any() else np.quantile
        below, above = find_quantiles(draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        centre = np.nanmean(draws, axis=0)
        low, high = estimate + scale * (below - centre), estimate + scale * (above - centre)
    return MeanInterval(low, high, np.sqrt(variance))
