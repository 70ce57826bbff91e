"""Computes d' of detection in streams of pictures, such as one-back: a press is a yes to a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stimgen.analysis.cells import list_cells
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.sensitivity import Counts, DecisionModel, estimate_from_rates

if TYPE_CHECKING:
    import pandas as pd

HITS, SIGNALS, ALARMS, NOISES = "stream_hits", "stream_signals", "stream_alarms", "stream_noises"
STREAM_COLUMNS = (HITS, SIGNALS, ALARMS, NOISES)
"""Columns of a trial: repetitions that were pressed at, repetitions, other pictures that were pressed at, and
other pictures, without the first, which repeats nothing."""


def compute_streams(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return hits, false alarms and d' of each participant in each cell, over the pictures of streams.

    Parameters
    ----------
    table : TrialTable
        Trials with the columns `STREAM_COLUMNS`.
    settings : AnalysisSettings
        Confidence, and the correction of extreme rates.

    Returns
    -------
    DataFrame or None
        ``group``, ``participant`` and the factors; ``streams``; ``hits`` of ``signals`` and ``false_alarms``
        of ``noises``; ``dprime`` with ``low`` and ``high``, ``criterion`` and ``correction``. None without
        streams.
    """
    import pandas as pd

    frame = table.eligible
    if not set(STREAM_COLUMNS) <= set(frame.columns):
        return None
    counts = frame[list(STREAM_COLUMNS)].apply(pd.to_numeric, errors="coerce")
    frame = frame.assign(**{name: counts[name] for name in STREAM_COLUMNS})[counts.notna().all(axis=1)]
    if not len(frame):
        return None
    keys = ["group", "participant", *(name for name in table.factors if name != "participant")]
    grouped = frame.groupby(keys, sort=False)
    found = grouped[list(STREAM_COLUMNS)].sum().astype("int64")
    found.insert(0, "streams", grouped.size())
    found = list_cells(replace(table, frame=frame), keys).merge(found.reset_index(), on=keys)
    correction = settings.correction or "log-linear"
    hits, alarms = Counts(found[HITS], found[SIGNALS]), Counts(found[ALARMS], found[NOISES])
    estimate = estimate_from_rates(DecisionModel("yes_no"), hits, alarms, correction, settings.confidence)
    names = {HITS: "hits", SIGNALS: "signals", ALARMS: "false_alarms", NOISES: "noises"}
    result: pd.DataFrame = found.rename(columns=names).assign(**estimate._asdict(), correction=correction)
    return result
