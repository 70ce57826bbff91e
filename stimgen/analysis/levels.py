"""Counts correct trials at each level of an ordered variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.thresholds import list_other_factors
from stimgen.analysis.trial_table import TrialTable, sort_values
from stimgen.sensitivity import find_wilson_interval

if TYPE_CHECKING:
    import pandas as pd


def compute_level_accuracy(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the proportion correct at each level: the data of the psychometric functions.

    Parameters
    ----------
    table : TrialTable
        The trials; their column ``level`` has the numbers of an ordered variable.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``participant`` (``all``: trials pooled, if there are several), the other factors and ``level``;
        ``trials``, ``correct``, and ``proportion`` with Wilson's ``low`` and ``high``. None without levels.
    """
    import pandas as pd

    frame = table.counted
    frame = frame[frame["level"].notna()]
    if not len(frame):
        return None
    keys = ["participant", *(name for name in list_other_factors(table) if name != "participant"), "level"]
    everybody = [frame.assign(participant=EVERYBODY)] if frame["participant"].nunique() > 1 else []
    rows = pd.concat([*everybody, frame], ignore_index=True)
    sums = rows.groupby(keys, sort=False)["correct"].agg(["count", "sum"]).reset_index()
    sums = sums.rename(columns={"count": "trials", "sum": "correct"}).astype({"correct": "int64"})
    low, high = find_wilson_interval(sums["correct"], sums["trials"], settings.confidence)
    found = sums.assign(proportion=sums["correct"] / sums["trials"], low=low, high=high)
    orders = dict(table.orders)
    places = {name: sort_values(found[name], orders.get(name, ())) for name in keys[1:-1]}
    places["participant"] = [EVERYBODY, *sort_values(frame["participant"])]
    return found.sort_values(
        keys,
        key=lambda column: column.map(places[str(column.name)].index) if column.name in places else column,
    ).reset_index(drop=True)
