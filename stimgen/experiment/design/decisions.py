"""Defines what a schedule is told and what it decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from stimgen.experiment.design.detection import DetectionRule
from stimgen.reading.errors import StimgenError

Scalar = str | int | float | bool
HarderDirection = Literal["lower", "higher"]


@dataclass(frozen=True)
class Participant:
    """Names a participant and the session that a list of trials is for.

    Labels follow BIDS: 1 to 32 letters and digits. Others raise a `StimgenError`.
    """

    label: str
    session: str = "1"
    turn: int | None = None
    """Number in the participant's group; None if the label's own number counts."""

    def __post_init__(self) -> None:
        """Refuse labels that cannot be part of a file name."""
        for what, label in (("participant", self.label), ("session", self.session)):
            if re.fullmatch(r"[A-Za-z0-9]{1,32}", label) is None:
                raise StimgenError(
                    f"{label!r} is not a valid {what} label: use 1 to 32 letters and digits, such as 01"
                )

    @property
    def number(self) -> int | None:
        """Return the number for counterbalancing: that in the group, or at the end of the label; or None."""
        if self.turn is not None:
            return self.turn
        digits = re.search(r"[0-9]+$", self.label)
        return int(digits[0]) if digits else None


def participant_labels(count: int) -> list[str]:
    """Return the labels of `count` participants: 01, 02, ..., all of the same length."""
    width = max(2, len(str(count)))
    return [f"{i:0{width}}" for i in range(1, count + 1)]


@dataclass(frozen=True)
class Factor:
    """Represents a variable that differs from trial to trial, such as ``condition`` or ``duration``."""

    name: str
    values: tuple[Scalar, ...]
    """All possible values, in order."""


def combine_factors(factors: Iterable[Factor]) -> list[dict[str, Scalar]]:
    """Return every combination of the factors' values; the last factor changes fastest."""
    factors = tuple(factors)
    names = [factor.name for factor in factors]
    combinations = product(*(factor.values for factor in factors))
    return [dict(zip(names, values, strict=True)) for values in combinations]


@dataclass(frozen=True)
class LevelScale:
    """Orders a factor by a number, for adaptive schedules and psychometric functions."""

    factor: str
    """The ordered factor, such as ``condition``."""
    by: str
    """What the numbers are: ``scaling``, ``regions``, ``depth``, ``duration`` (ms), ``soa`` (ms),
    ``eccentricity`` (deg)."""
    values: tuple[Scalar, ...]
    """The factor's values, in the order of their numbers."""
    numbers: tuple[float, ...]
    """One number for each value, rising."""
    harder: HarderDirection | None = None
    """Whether lower or higher numbers are harder; None if only the user can know."""


@dataclass(frozen=True)
class Design:
    """Holds everything that a schedule's decisions depend on, except the history."""

    factors: tuple[Factor, ...]
    """Independent variables, ``condition`` first; every combination is a cell of the design."""
    sources: tuple[str, ...]
    """Ids of the photographs that are shown, in order."""
    balanced: tuple[Factor, ...]
    """Factors that occur equally often in every cell, such as the location of the odd picture."""
    participant: Participant
    """The participant and session that the trials are for."""
    key: tuple[str | int, ...]
    """Key of the random numbers that all participants of the experiment share."""
    level: LevelScale | None = None
    """The scale along which an adaptive schedule moves."""
    chance: float | None = None
    """Proportion correct of an observer who guesses."""
    without_signal: tuple[tuple[tuple[str, Scalar], ...], ...] = ()
    """Values of the balanced factors in trials that an adaptive schedule cannot learn from: nothing that the
    level changes is shown, as in trials with two originals."""
    detection: DetectionRule | None = None
    """How answers depend on a criterion; None if the task has none, as forced choice."""
    kinds: tuple[tuple[str, str], ...] = ()
    """Sources with their factors as one text, such as their category; empty if they have none. Sources of a
    kind are spread evenly where sources are dealt out."""

    @property
    def participant_key(self) -> tuple[str | int, ...]:
        """Return the key of the random numbers that belong to the participant and session."""
        return *self.key, self.participant.label, self.participant.session

    def has_signal(self, balanced: Mapping[str, Scalar]) -> bool | None:
        """Return whether trials have a signal with these balanced factors; None if all trials have one."""
        if not self.without_signal:
            return None
        return all(dict(values) != dict(balanced) for values in self.without_signal)


@dataclass(frozen=True)
class TrialDecision:
    """Represents a trial as a schedule decides it; pictures, crops and places follow from it."""

    block: int
    """Counts from 1."""
    levels: Mapping[str, Scalar]
    """Value of every factor of the design."""
    source: str
    """Id of the photograph."""
    balanced: Mapping[str, Scalar]
    """Value of every balanced factor."""
    exemplar: int = 0
    """Rises by one from trial to trial with the same source and factor values, also across participants; it
    decides which exemplars (seeds) are shown."""
    track: str | None = None
    """Name of the track, if the schedule interleaves several."""
    signal: bool | None = None
    """Whether the trial has a signal, if an adaptive schedule has trials without one."""


@dataclass(frozen=True)
class TrialResult:
    """Represents a finished trial as a schedule sees it."""

    levels: Mapping[str, Scalar] = field(default_factory=dict)
    source: str = ""
    track: str | None = None
    correct: bool | None = None
    """None if there was no answer, or if no answer is correct."""
    index: int = 0
    """Index of the trial in the session."""
    signal: bool = True
    """Whether the trial had a signal; the others do not move a track."""
