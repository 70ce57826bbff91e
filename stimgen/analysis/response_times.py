"""Describes response times, from the onset of the first picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stimgen.analysis.cells import list_cells, split_groups
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd


def compute_response_times(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the response times of each participant and of each group in each cell.

    Parameters
    ----------
    table : TrialTable
        The trials.
    settings : AnalysisSettings
        Not used; all analyses take it.

    Returns
    -------
    DataFrame or None
        ``group`` and ``participant`` (``all``: the means over the group's participants) and the factors;
        ``trials`` with a response time; in seconds the ``median``, and the quartiles ``lower`` and
        ``upper``; the medians ``median_correct`` and ``median_wrong``. None without response times.
    """
    import pandas as pd

    del settings
    frame = table.counted
    frame = frame[frame["response_time"].notna()]
    if not len(frame):
        return None
    rows: list[dict[str, Any]] = []
    for group, part in split_groups(table):
        own = frame.loc[frame.index.intersection(part.frame.index)]
        keys = ["participant", *(name for name in table.factors if name != "participant")]
        times = _describe_cells(own, keys)
        if group == "all":
            each = times.merge(frame[["participant", "group"]].drop_duplicates(), on="participant")
            rows += each.to_dict("records")  # type: ignore[arg-type] # names of columns are texts
        numbers = ["median", "lower", "upper", "median_correct", "median_wrong"]
        if len(keys) > 1:
            means = times.groupby(keys[1:], sort=False)[numbers].mean()
            means["trials"] = times.groupby(keys[1:], sort=False)["trials"].sum()
            found = means.reset_index()
        else:
            found = times[numbers].mean().to_frame().T.assign(trials=int(times["trials"].sum()))
        found = found.assign(group=group, participant="all")
        rows += found.to_dict("records")  # type: ignore[arg-type] # names of columns are texts
    return _order_rows(pd.DataFrame(rows), table)


def _describe_cells(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    import pandas as pd

    times = frame.groupby(keys, sort=False)["response_time"]
    quartiles = [times.quantile(share) for share in (0.25, 0.5, 0.75)]
    found = pd.concat(quartiles, axis=1, keys=["lower", "median", "upper"])
    found["trials"] = times.count()
    for name, value in (("median_correct", 1.0), ("median_wrong", 0.0)):
        part = frame[frame["correct"] == value].groupby(keys, sort=False)["response_time"].median()
        found[name] = part
    return found.reset_index()


def _order_rows(found: pd.DataFrame, table: TrialTable) -> pd.DataFrame:
    columns = ["trials", "median", "lower", "upper", "median_correct", "median_wrong"]
    factors = [name for name in table.factors if name != "participant"]
    found = found.assign(_mean=(found["participant"] != "all").astype(int))
    if factors:
        places = list_cells(table, factors)
        places["_place"] = range(len(places))
        found = found.merge(places, on=factors, how="left")
    else:
        found["_place"] = 0
    found = found.sort_values(["_mean", "group", "participant", "_place"], kind="stable")
    return found[["group", "participant", *factors, *columns]].reset_index(drop=True)
