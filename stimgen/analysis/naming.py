"""Tells how well pictures are recognised by their names, and what they are taken for."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from stimgen.analysis.accuracy import compute_accuracy
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

FEWEST_WORDS = 3


def compute_recognisability(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return how often each source is named correctly in each condition.

    Parameters
    ----------
    table : TrialTable
        Trials of a naming task: the answers are words.
    settings : AnalysisSettings
        Confidence of the intervals.

    Returns
    -------
    DataFrame or None
        ``source`` and the factors, ``trials``, ``correct``, ``missed``, ``proportion`` with Wilson's ``low``
        and ``high``, ``chance``; and ``most_frequent``: the most frequent answer. None for other tasks.
    """
    if not _is_naming(table):
        return None
    keys = ["source", *(name for name in table.factors if name != "source")]
    found = compute_accuracy(table, keys, settings.confidence)
    frame = table.eligible
    words = frame[frame["response"] != ""].assign(word=frame["response"].map(normalise_answer))
    most = words.groupby(keys)["word"].agg(lambda column: column.value_counts().index[0])
    return found.merge(most.rename("most_frequent").reset_index(), on=keys, how="left")


def compute_confusions(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return how often each answer was given to each correct answer, in each cell of the factors.

    Parameters
    ----------
    table : TrialTable
        The trials; answers are compared without differences of case and spaces.
    settings : AnalysisSettings
        Synonyms, whose answers are counted as one word.

    Returns
    -------
    DataFrame or None
        The factors, ``correct_response``, ``response`` (empty: missed), ``count``, and its ``proportion`` of
        the trials with this correct answer. None for tasks that are not naming.
    """
    if not _is_naming(table):
        return None
    frame = table.eligible
    synonyms = {
        normalise_answer(one): normalise_answer(word)
        for word, many in settings.synonyms.items()
        for one in many
    }
    words = {
        name: frame[name].map(normalise_answer).replace(synonyms) for name in ("correct_response", "response")
    }
    keys = [name for name in table.factors if name != "source"]
    columns = [*keys, "correct_response"]
    counted = frame.assign(**words).groupby([*columns, "response"], sort=True).size()
    found = counted.rename("count").reset_index()
    found["proportion"] = found["count"] / found.groupby(columns)["count"].transform("sum")
    order = [*columns, "count"]
    return found.sort_values(order, ascending=[True] * len(columns) + [False]).reset_index(drop=True)


def normalise_answer(word: str) -> str:
    """Return a word without differences of case, spaces and Unicode composition."""
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


def _is_naming(table: TrialTable) -> bool:
    """Return whether the answers are words: not the labels of places, keys or yes and no."""
    frame = table.frame
    if not (frame["source"] != "").any():
        return False
    words = set(frame.loc[frame["correct_response"] != "", "correct_response"])
    by_source = frame[frame["correct_response"] != ""].groupby("source")["correct_response"].nunique()
    return len(words) >= FEWEST_WORDS and bool((by_source == 1).all())
