"""Tells what an analysis of a study finds, and how often analyses of many studies find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stimgen.analysis.accuracy import compute_group_accuracy
from stimgen.analysis.contrasts import compute_contrasts
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.sensitivity import find_wilson_interval

if TYPE_CHECKING:
    import pandas as pd

ABOVE_CHANCE = "against chance"
CONTRAST = "contrast"


def find_effects(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame:
    """Return what a study finds: each cell against chance, and each contrast between two conditions.

    Something is found if the interval of `compute_group_accuracy` leaves out chance, or that of
    `compute_contrasts` leaves out zero. These are the intervals over participants and sources that
    ``stimgen analyze`` writes.

    Parameters
    ----------
    table : TrialTable
        The trials of a study.
    settings : AnalysisSettings
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame
        ``test``: ``against chance`` or ``contrast``; ``group``; the factors; for contrasts ``factor``,
        ``first`` and ``second``; ``estimate``: mean proportion correct, or difference; ``found``. There are
        no tests against chance where chance is not known.
    """
    import pandas as pd

    blank = {"factor": "", "first": "", "second": ""}
    parts = []
    if table.chance is not None:
        cells = compute_group_accuracy(table, settings)
        found = (cells["mean_low"] > table.chance) | (cells["mean_high"] < table.chance)
        names = cells[["group", *table.factors]].assign(**blank)
        parts.append(names.assign(test=ABOVE_CHANCE, estimate=cells["mean"], found=found))
    pairs = compute_contrasts(table, settings)
    if pairs is not None:
        found = (pairs["low"] > 0) | (pairs["high"] < 0)
        names = pairs[["group", *table.factors, *blank]]
        parts.append(names.assign(test=CONTRAST, estimate=pairs["difference"], found=found))
    columns = ["test", "group", *table.factors, *blank, "estimate", "found"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def compute_rates(found: pd.DataFrame, keys: Sequence[str], confidence: float = 0.95) -> pd.DataFrame:
    """Return how often studies find something, with Wilson's interval.

    Parameters
    ----------
    found : DataFrame
        The results of `find_effects` of many studies, one below the other.
    keys : sequence of str
        Columns that tell tests apart.
    confidence : float
        Confidence of the interval.

    Returns
    -------
    DataFrame
        The columns `keys`, in the order in which they come first; ``studies``; ``estimate``, the mean over
        studies; ``rate``, ``low`` and ``high``.
    """
    grouped = found.groupby(list(keys), sort=False, dropna=False)
    rates = grouped.agg(studies=("found", "size"), estimate=("estimate", "mean"), hits=("found", "sum"))
    low, high = find_wilson_interval(np.asarray(rates["hits"]), np.asarray(rates["studies"]), confidence)
    rates = rates.assign(rate=rates["hits"] / rates["studies"], low=low, high=high)
    return rates.drop(columns="hits").reset_index()
