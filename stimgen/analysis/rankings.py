"""Ranks sources by how hard their syntheses are to tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stimgen.analysis.accuracy import compute_group_accuracy
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2


def compute_source_ranking(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the sources in the order of their proportion correct, the hardest first.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame or None
        ``rank`` from 1; ``source``; ``participants``, ``trials``, ``correct`` and ``missed``; ``mean`` over
        participants with ``low`` and ``high`` by the bootstrap over participants (or Wilson's, see
        ``interval``); and for each value of the first factor, the proportion correct ``in VALUE``. None for
        fewer than two sources.
    """
    if table.counted["source"].nunique() < FEWEST:
        return None
    alone = replace(table, factors=("source",), frame=table.frame.assign(group=""))
    unused = ["group", "sources", "low", "high", "proportion"]
    found = compute_group_accuracy(alone, settings).drop(columns=unused)
    found = found.rename(columns={"mean_low": "low", "mean_high": "high"}).sort_values("mean", kind="stable")
    found.insert(0, "rank", np.arange(1, len(found) + 1))
    factor = next((name for name in table.factors if name != "source"), None)
    if factor is not None:
        counted = table.counted.groupby(["source", factor], sort=False)["correct"].mean().unstack()
        names: Iterable[str] = map(str, counted.columns)
        for name in names:
            found[f"in {name}"] = found["source"].map(counted[name])
    return found.reset_index(drop=True)
