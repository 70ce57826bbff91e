"""Holds the table of trials, and what an analysis must know about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stimgen.analysis.columns import FLAGS, NUMBERS, TEXTS, TRIAL_COLUMNS
from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.sensitivity import DecisionModel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TrialTable:
    """Holds trials, one per row, with the columns of `TRIAL_COLUMNS` and those of factors.

    `counted` gives the trials that count, which the functions of this package take.
    """

    frame: pd.DataFrame
    factors: tuple[str, ...] = ()
    """Columns of independent variables, in the order of tables; ``condition`` first, if there is one."""
    model: DecisionModel | None = None
    """Task and decision rule; None where they are not known, so that there is no d'."""
    chance: float | None = None
    """Proportion correct of an observer who guesses."""
    orders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Values of factors in the order of tables, also those that no trial has."""
    thresholds: tuple[tuple[tuple[str, str, str, str], TrackThreshold], ...] = ()
    """Thresholds that sessions recorded, by experiment, participant, session and track."""
    staircase: tuple[int, int] | None = None
    """Wrong answers in a row after which a track's level becomes easier, and correct ones after which it
    becomes harder; None where levels were not chosen by a staircase, or it is not known."""
    rules: tuple[tuple[str, ExclusionRules], ...] = ()
    """Exclusion rules that experiments state, by their names."""
    criterion_missed: frozenset[tuple[str, str]] = frozenset()
    """Participants, with their experiment, who began without reaching the criterion of the practice."""
    notes: tuple[str, ...] = ()
    """What a reader of the results must know about the data."""

    @property
    def main(self) -> pd.DataFrame:
        """Return trials that are neither practice nor catch trials, excluded or not."""
        frame = self.frame
        return frame[~frame["practice"] & (frame["catch"] == "")]

    @property
    def eligible(self) -> pd.DataFrame:
        """Return trials that are neither practice nor catch trials nor excluded, answered or not."""
        frame = self.main
        return frame[frame["excluded"] == ""]

    @property
    def counted(self) -> pd.DataFrame:
        """Return the eligible trials whose answer is right or wrong."""
        frame = self.eligible
        return frame[frame["correct"].notna()]

    @property
    def is_adaptive(self) -> bool:
        """Return whether a schedule chose levels by the answers in some trials."""
        return bool((self.frame["track"] != "").any())

    def add_notes(self, *notes: str) -> TrialTable:
        """Return the table with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def complete_frame(columns: dict[str, Any], factors: Iterable[str] = ()) -> pd.DataFrame:
    """Return a table with all columns in their order and of their types; those not given are empty.

    `columns` has a list or array of values for each column, of one length.
    """
    import pandas as pd

    frame = pd.DataFrame(columns)
    extra = [name for name in factors if name not in TRIAL_COLUMNS]
    parts: dict[str, Any] = {}
    for name in [*TRIAL_COLUMNS, *extra]:
        if name in NUMBERS:
            values = frame[name] if name in frame else pd.Series(float("nan"), index=frame.index)
            parts[name] = values.astype("float64")
        elif name in FLAGS:
            parts[name] = frame[name].astype(bool) if name in frame else pd.Series(False, index=frame.index)
        elif name in TEXTS or name in extra:
            values = frame[name] if name in frame else pd.Series("", index=frame.index)
            texts = [one if type(one) is str else format_value(one) for one in values.tolist()]
            parts[name] = pd.Series(texts, index=frame.index, dtype="object")
    return pd.DataFrame(parts, index=frame.index)


def format_value(value: object) -> str:
    """Return a value as the table has it: numbers without a needless ``.0``, and nothing as an empty text."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def sort_values(values: Iterable[str], order: Iterable[str] = ()) -> list[str]:
    """Return different values in a given order, and others after them in natural order.

    Examples
    --------
    >>> sort_values(["conv10", "conv2", "ps"], ["ps"])
    ['ps', 'conv2', 'conv10']
    """
    first = list(dict.fromkeys(order))
    rest = sorted(set(values) - set(first), key=_natural_key)
    return [*first, *rest]


def _natural_key(value: str) -> list[tuple[int, float, str]]:
    try:
        return [(0, float(value), "")]
    except ValueError:
        parts = re.split(r"(\d+(?:\.\d+)?)", value.casefold())
        return [(1, float(part), "") if i % 2 else (2, 0.0, part) for i, part in enumerate(parts)]
