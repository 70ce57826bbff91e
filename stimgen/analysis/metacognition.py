"""Relates confidence to being correct: the type-2 ROC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, sort_values

if TYPE_CHECKING:
    import pandas as pd


def compute_confidence(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return each participant's type-2 ROC: how well confidence tells correct from wrong answers.

    Parameters
    ----------
    table : TrialTable
        The trials; their column ``confidence`` has ratings, of which more is more confident.
    settings : AnalysisSettings
        Not used; all analyses take it.

    Returns
    -------
    DataFrame or None
        One row for each participant and rating: ``trials``, ``correct`` and ``proportion`` of trials with
        this rating; ``hit_rate`` and ``false_alarm_rate`` of type 2: the proportions of correct and of wrong
        trials with at least this rating; and ``area`` under the participant's curve, .5 where confidence
        tells nothing (Fleming & Lau 2014); NaN where all answers are correct, or none. None without ratings.
    """
    import pandas as pd

    del settings
    frame = table.counted
    frame = frame[frame["confidence"].notna()]
    if not len(frame):
        return None
    rows = []
    for person in sort_values(frame["participant"]):
        own = frame[frame["participant"] == person]
        right, wrong = (own.loc[own["correct"] == value, "confidence"].to_numpy() for value in (1, 0))
        area = find_type2_area(right, wrong)
        for rating in sorted(set(own["confidence"])):
            at = own["confidence"] == rating
            rows.append(
                {
                    "participant": person,
                    "confidence": rating,
                    "trials": int(at.sum()),
                    "correct": int(own.loc[at, "correct"].sum()),
                    "proportion": float(own.loc[at, "correct"].mean()),
                    "hit_rate": _find_share(right, rating),
                    "false_alarm_rate": _find_share(wrong, rating),
                    "area": area,
                }
            )
    return pd.DataFrame(rows)


def find_type2_area(right: ArrayLike, wrong: ArrayLike) -> float:
    """Return the probability that a correct answer has more confidence than a wrong one; ties count half.

    Examples
    --------
    >>> find_type2_area([3, 4, 4], [1, 4])
    0.6666666666666666
    """
    one, other = np.asarray(right, dtype=float), np.sort(np.asarray(wrong, dtype=float))
    if not len(one) or not len(other):
        return float("nan")
    below = np.searchsorted(other, one, "left")
    ties = np.searchsorted(other, one, "right") - below
    return float((below + ties / 2).mean() / len(other))


def _find_share(values: ArrayLike, rating: float) -> float:
    array = np.asarray(values, dtype=float)
    return float((array >= rating).mean()) if len(array) else float("nan")
