"""Lists the cells of a design, in the order of tables, and counts the trials of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from stimgen.analysis.trial_table import TrialTable, sort_values

if TYPE_CHECKING:
    import pandas as pd

EVERYBODY = "all"
"""Name of the group of all participants."""


def split_groups(table: TrialTable) -> Iterator[tuple[str, TrialTable]]:
    """Yield all participants as the group ``all``, and then each group, if there are several."""
    yield EVERYBODY, table
    names = sort_values(name for name in table.main["group"] if name)
    if len(names) > 1:
        for name in names:
            yield name, replace(table, frame=table.frame[table.frame["group"] == name])


def list_cells(table: TrialTable, keys: Sequence[str]) -> pd.DataFrame:
    """Return every combination of the columns `keys` that occurs in main trials, in the order of tables.

    A value that the user's order names but no trial has is combined with what occurs in other columns.
    """
    import pandas as pd

    orders = dict(table.orders)
    found = table.main[list(keys)].drop_duplicates()
    for name in (key for key in keys if key in orders):
        unseen = [value for value in orders[name] if value not in set(table.frame[name])]
        others = [key for key in keys if key != name]
        rest = found[others].drop_duplicates() if others else pd.DataFrame(index=[0])
        extra = [rest.assign(**{name: value}) for value in unseen]
        found = pd.concat([found, *extra], ignore_index=True)[list(keys)] if extra else found
    ranks = pd.DataFrame(index=found.index)
    for name in keys:
        place = {value: i for i, value in enumerate(sort_values(found[name], orders.get(name, ())))}
        ranks[name] = found[name].map(place)
    return found.loc[ranks.sort_values(list(keys), kind="stable").index].reset_index(drop=True)


def count_trials(table: TrialTable, keys: Sequence[str], cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the number of trials, correct ones and missed ones of each cell.

    Parameters
    ----------
    table : TrialTable
        All trials; those that do not count are left out.
    keys : sequence of str
        Columns whose values make a cell; without any, there is one cell.
    cells : DataFrame, optional
        The cells, which may have no trials. [default: all that occur]

    Returns
    -------
    DataFrame
        The columns `keys`, and ``trials``, ``correct`` and ``missed``.
    """
    import pandas as pd

    frame = table.eligible
    values = pd.DataFrame(
        {"trials": frame["correct"].notna(), "correct": frame["correct"] == 1, "missed": frame["missed"]}
    )
    if not keys:
        return values.sum().to_frame().T.astype("int64")
    cells = list_cells(table, keys) if cells is None else cells
    sums = values.groupby([frame[key] for key in keys], sort=False).sum().reset_index()
    found = cells.merge(sums, on=list(keys), how="left")
    counts = ["trials", "correct", "missed"]
    found[counts] = found[counts].fillna(0).astype("int64")
    return found
