"""Describes practice and fatigue: proportion correct over the trials of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stimgen.analysis.accuracy import compute_accuracy
from stimgen.analysis.quantiles import find_student_quantile
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

PARTS = 10


def compute_trend(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return proportion correct over tenths of the sessions, and the change per tenth of each participant.

    Parameters
    ----------
    table : TrialTable
        The trials, with their numbers in the session.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``part`` from 1 to 10 of a session; ``trials``, ``correct``, ``proportion`` with Wilson's ``low`` and
        ``high``; ``median_response_time``; ``change``, the same in each row: the mean over participants of
        the slope of proportion correct per session (practice is positive, fatigue negative), with
        ``change_low`` and ``change_high`` by Student's t over participants; NaN for one participant. None
        for fewer than 20 trials in every session.
    """
    frame = table.frame
    keys = ["experiment", "participant", "session"]
    place = frame.groupby(keys, sort=False)["trial"].rank(method="first") - 0.5
    length = frame.groupby(keys, sort=False)["trial"].transform("size")
    if not len(table.counted) or length.max() < 2 * PARTS:
        return None
    part = (PARTS * place // length).astype(int) + 1
    moved = TrialTable(frame.assign(part=part.map(str)), ("part",), chance=table.chance)
    found = compute_accuracy(moved, ["part"], settings.confidence)
    times = moved.counted.groupby("part")["response_time"].median()
    found["median_response_time"] = found["part"].map(times)
    change, low, high = _find_change(moved.counted.assign(place=place / length), settings.confidence)
    return found.assign(change=change, change_low=low, change_high=high)


def _find_change(frame: pd.DataFrame, confidence: float) -> tuple[float, float, float]:
    """Return the mean slope of the participants' answers over their sessions, with its interval."""
    slopes = []
    for _, own in frame.groupby("participant"):
        centred = own["place"] - own["place"].mean()
        if len(own) >= 2 * PARTS and float((centred**2).sum()) > 0:
            slopes.append(float((centred * own["correct"]).sum() / (centred**2).sum()))
    if not slopes:
        return float("nan"), float("nan"), float("nan")
    mean = float(np.mean(slopes))
    if len(slopes) < 2:
        return mean, float("nan"), float("nan")
    half = float(
        find_student_quantile(confidence, len(slopes) - 1) * np.std(slopes, ddof=1) / np.sqrt(len(slopes))
    )
    return mean, mean - half, mean + half
