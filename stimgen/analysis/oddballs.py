"""Compares trials whose odd picture is an original with those whose odd picture is a synthesis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stimgen.analysis.contrasts import compute_contrasts
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd


def compute_oddball_asymmetry(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return how much more often an odd original is found than an odd synthesis, in each cell.

    Parameters
    ----------
    table : TrialTable
        The trials; their column ``oddball`` has the role of the odd picture.
    settings : AnalysisSettings
        Confidence, number of bootstrap samples and seed.

    Returns
    -------
    DataFrame or None
        The columns of `compute_contrasts`, for the factor ``oddball``. None unless there are two roles.
    """
    if table.frame.loc[table.frame["oddball"] != "", "oddball"].nunique() != 2:
        return None
    frame = table.frame[table.frame["oddball"] != ""]
    factors = (*(name for name in table.factors if name != "oddball"), "oddball")
    found = compute_contrasts(replace(table, frame=frame, factors=factors), settings)
    if found is None:
        return None
    own = found[found["factor"] == "oddball"].drop(columns="oddball").reset_index(drop=True)
    return own if len(own) else None
