"""Counts the trials that an analysis counts, and those that it leaves out, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stimgen.analysis.trial_table import TrialTable


class TrialCount(NamedTuple):
    """Holds the number of trials of one kind, and of the participants that they are of."""

    kind: str
    trials: int
    participants: int


def count_kinds(table: TrialTable) -> list[TrialCount]:
    """Return the number of trials of each kind; every trial is of one kind.

    A trial that is practice and excluded, for example, is counted as practice.
    """
    return [found for found in _count(table) if found.trials]


def _count(table: TrialTable) -> Iterator[TrialCount]:
    frame = table.frame
    left = frame
    kinds = [("practice", frame["practice"]), ("catch trial", frame["catch"] != "")]
    reasons = frame.loc[frame["excluded"] != "", "excluded"]
    kinds += [(f"excluded: {reason}", frame["excluded"] == reason) for reason in reasons.unique()]
    kinds += [("without an answer", frame["missed"]), ("neither right nor wrong", frame["correct"].isna())]
    for kind, flags in kinds:
        part = left[flags.loc[left.index]]
        yield TrialCount(kind, len(part), part["participant"].nunique())
        left = left[~flags.loc[left.index]]
    yield TrialCount("counted", len(left), left["participant"].nunique())
