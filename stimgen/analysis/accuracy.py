"""Computes proportion correct: pooled, per participant, per source, and as mean over participants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stimgen.analysis.cells import count_trials, list_cells, split_groups
from stimgen.analysis.resampling import (
    FEWEST_PARTICIPANTS,
    FEWEST_SOURCES,
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


def compute_accuracy(table: TrialTable, keys: Sequence[str], confidence: float = 0.95) -> pd.DataFrame:
    """Return the proportion correct of each cell, with Wilson's interval.

    The interval takes the trials of a cell as independent and equally difficult. That holds for one
    participant and one condition, and not for trials pooled over participants or sources, for which
    `compute_group_accuracy` has intervals.

    Parameters
    ----------
    table : TrialTable
        The trials; practice, catch and excluded trials are left out, and those without an answer are counted
        as missed.
    keys : sequence of str
        Columns whose values make a cell, such as ``participant`` and ``condition``.
    confidence : float
        Confidence of the interval.

    Returns
    -------
    DataFrame
        The columns `keys`; ``trials``, ``correct``, ``missed``; ``proportion`` with ``low`` and ``high``;
        ``chance``. A cell without trials has no proportion.
    """
    found = count_trials(table, keys)
    low, high = find_wilson_interval(found["correct"], found["trials"], confidence)
    trials = found["trials"].where(found["trials"] > 0)
    return found.assign(proportion=found["correct"] / trials, low=low, high=high, chance=_fill(table.chance))


def compute_participant_accuracy(
    table: TrialTable, over: str = "participant", confidence: float = 0.95
) -> pd.DataFrame:
    """Return the proportion correct of each participant (or source) in each cell of the factors.

    Everybody has a row for each cell, also for those of which they saw nothing. The columns are those of
    `compute_accuracy`, after `over` and, for participants, ``group``.
    """
    import pandas as pd

    keys = [name for name in table.factors if name != over]
    members = list_cells(table, ["group", over] if over == "participant" else [over])
    cells = list_cells(table, keys) if keys else pd.DataFrame(index=[0])
    every = members.merge(cells, how="cross")
    counts = count_trials(table, list(every.columns), every)
    low, high = find_wilson_interval(counts["correct"], counts["trials"], confidence)
    proportion = counts["correct"] / counts["trials"].where(counts["trials"] > 0)
    return counts.assign(proportion=proportion, low=low, high=high, chance=_fill(table.chance))


def compute_group_accuracy(table: TrialTable, settings: AnalysisSettings | None = None) -> pd.DataFrame:
    """Return proportions correct of each group in each cell: trials pooled, and means over participants.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings, optional
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame
        ``group``, first ``all``; the factors; ``participants``, ``sources``, ``trials``, ``correct`` and
        ``missed``; ``proportion`` of the pooled trials with Wilson's ``low`` and ``high``; ``mean`` of the
        participants' proportions with ``mean_low`` and ``mean_high`` from the hierarchical bootstrap over
        participants and sources, and the name of the ``interval``; ``chance``.
    """
    import pandas as pd

    settings = settings or AnalysisSettings()
    parts = []
    for name, group in split_groups(table):
        found = compute_accuracy(group, group.factors, settings.confidence)
        found.insert(0, "group", name)
        parts.append(_add_means(found, group, settings))
    return pd.concat(parts, ignore_index=True)


def _add_means(found: pd.DataFrame, group: TrialTable, settings: AnalysisSettings) -> pd.DataFrame:
    """Return the table with the means over participants and their intervals."""
    counts = cross_counts(group, group.factors)
    place = found.columns.get_loc("trials")
    assert isinstance(place, int)
    if not len(counts.participants):
        empty = dict.fromkeys(("mean", "mean_low", "mean_high"), float("nan"))
        found.insert(place, "participants", 0)
        found.insert(place + 1, "sources", 0)
        return found.assign(**empty, interval="")
    mean = counts.mean_proportions()
    draws = draw_means(counts, settings.resamples, settings.seed)
    limits = find_mean_interval(mean, draws, find_influences(counts, mean), settings.confidence)
    seen = counts.trials.sum(1) > 0
    found.insert(place, "participants", seen.sum(0))
    found.insert(place + 1, "sources", (counts.trials.sum(0) > 0).sum(0))
    # Where all answers are alike nothing varies, and the number of trials is what limits the conclusion.
    is_known = np.isfinite(limits.error) & (limits.error > 0)
    low = np.where(is_known, np.maximum(limits.low, 0.0), found["low"])
    high = np.where(is_known, np.minimum(limits.high, 1.0), found["high"])
    kind = np.where(
        is_known, _name_interval(counts.correct.shape), np.where(found["trials"] > 0, "Wilson", "")
    )
    return found.assign(mean=mean, mean_low=low, mean_high=high, interval=kind)


def _name_interval(shape: tuple[int, ...]) -> str:
    people, sources, _ = shape
    enough = (people >= FEWEST_PARTICIPANTS, sources >= FEWEST_SOURCES)
    names = [name for name, is_enough in zip(("participants", "sources"), enough, strict=True) if is_enough]
    return "bootstrap over " + " and ".join(names) if names else "Wilson"


def _fill(chance: float | None) -> float:
    return float("nan") if chance is None else chance
