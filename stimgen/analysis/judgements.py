"""Describes answers of which none is correct: ratings, and the similarity of pictures in triplets."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.cells import list_cells, split_groups
from stimgen.analysis.difference_scaling import LARGER
from stimgen.analysis.quantiles import find_student_quantile
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.experiment.design.paradigms.item_subsets import split_items
from stimgen.sensitivity import find_wilson_interval

if TYPE_CHECKING:
    import pandas as pd

TRIPLET, ODD_ITEM = "triplet", "odd_item"
"""Columns of the three items of a trial, joined by +, and of the one that was chosen as odd."""


def count_judgements(table: TrialTable) -> int:
    """Return the number of answers that would count, but of which none is right or wrong."""
    frame = table.eligible
    return int((~frame["missed"] & frame["correct"].isna()).sum())


def compute_ratings(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the mean rating of each cell: the mean over participants of their means.

    Parameters
    ----------
    table : TrialTable
        Trials whose answers are numbers, of which none is correct.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``group`` and the factors; ``participants`` and ``trials``; ``rating`` with ``low`` and ``high`` by
        Student's t over participants, NaN for one participant; ``sd`` between participants. None for other
        answers.
    """
    import pandas as pd

    frame = table.eligible
    frame = frame[frame["response"] != ""]
    values = pd.to_numeric(frame["response"], errors="coerce")
    if not len(frame) or values.isna().any() or (frame["correct_response"] != "").any():
        return None
    if frame["correct"].notna().any() or {ODD_ITEM, LARGER} & set(frame.columns):
        return None
    frame = frame.assign(rating=values)
    keys = list(table.factors)
    rows: list[dict[str, Any]] = []
    for group, part in split_groups(table):
        own = frame.loc[frame.index.intersection(part.frame.index)]
        cells = list_cells(part, keys).to_dict("records") if keys else [{}]
        for cell in cells:
            chosen = np.logical_and.reduce([own[name] == value for name, value in cell.items()] or [True])
            here = own[chosen] if cell else own
            if len(here):
                means = here.groupby("participant")["rating"].mean().to_numpy(dtype=float)
                row = {"group": group, **{str(name): value for name, value in cell.items()}}
                rows.append({**row, **_describe(means, settings), "trials": len(here)})
    return pd.DataFrame(rows)


def _describe(means: np.ndarray[Any, Any], settings: AnalysisSettings) -> dict[str, Any]:
    count, mean = len(means), float(means.mean())
    sd = float(means.std(ddof=1)) if count > 1 else float("nan")
    half = (
        float(find_student_quantile(settings.confidence, count - 1)) * sd / np.sqrt(count)
        if count > 1
        else sd
    )
    return {"participants": count, "rating": mean, "low": mean - half, "high": mean + half, "sd": sd}


def compute_similarity(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return how often two items stay together where a third one is shown with them.

    Parameters
    ----------
    table : TrialTable
        Trials with the columns ``triplet`` and ``odd_item``.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``first`` and ``second`` item; ``trials`` with both; ``together``: those in which the third was odd;
        ``similarity``, their proportion, with Wilson's ``low`` and ``high``; chance is 1/3. None without such
        trials.
    """
    import pandas as pd

    if TRIPLET not in table.frame.columns or ODD_ITEM not in table.frame.columns:
        return None
    frame = table.eligible
    frame = frame[(frame[TRIPLET] != "") & (frame[ODD_ITEM] != "")]
    if not len(frame):
        return None
    counts: dict[tuple[str, str], list[int]] = {}
    for value, odd in zip(frame[TRIPLET], frame[ODD_ITEM], strict=True):
        for pair in combinations(sorted(split_items(value)), 2):
            found = counts.setdefault((pair[0], pair[1]), [0, 0])
            found[0] += 1
            found[1] += odd not in pair
    rows = [(*pair, *counts[pair]) for pair in sorted(counts)]
    result = pd.DataFrame(rows, columns=["first", "second", "trials", "together"])
    low, high = find_wilson_interval(result["together"], result["trials"], settings.confidence)
    return result.assign(similarity=result["together"] / result["trials"], low=low, high=high)
