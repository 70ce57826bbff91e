"""What a schedule decides of a trial, and what it knows when it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimgen.reading.errors import StimgenError

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Participant:
    """Whom a list of trials is for.

    Attributes
    ----------
    participant : str
        An opaque label: letters and digits, as BIDS has it.
    session : str
        The same for the session.
    """

    participant: str
    session: str = "1"

    def __post_init__(self) -> None:
        """Refuse labels that no file may be named by."""
        for what, label in (("participant", self.participant), ("session", self.session)):
            if re.fullmatch(r"[A-Za-z0-9]{1,32}", label) is None:
                raise StimgenError(
                    f"the {what} {label!r} is not a label: 1 to 32 letters and digits, such as 01"
                )

    @property
    def number(self) -> int | None:
        """The number that the label ends in, by which conditions are counterbalanced; None without one."""
        digits = re.search(r"[0-9]+$", self.participant)
        return int(digits[0]) if digits else None


def participant_labels(count: int) -> list[str]:
    """Return the labels of so many participants: 01, 02, ...; as long as the last one's."""
    width = max(2, len(str(count)))
    return [f"{i:0{width}}" for i in range(1, count + 1)]


@dataclass(frozen=True)
class Factor:
    """Something that differs from trial to trial by design.

    Attributes
    ----------
    name : str
        Such as ``condition``, ``duration``, ``location``.
    values : tuple
        What it may be, in order.
    """

    name: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class LevelScale:
    """A factor whose values are ordered by a number, for adaptive schedules and psychometric functions.

    Attributes
    ----------
    factor : str
        The factor that it belongs to, such as ``condition``.
    by : str
        What the numbers are: ``scaling``, ``regions``, ``depth``, ``duration`` (ms), ``eccentricity`` (deg).
    values : tuple
        Values of the factor, ordered by their numbers.
    numbers : tuple of float
        One for each, rising.
    """

    factor: str
    by: str
    values: tuple[Scalar, ...]
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Design:
    """What a schedule is told: everything that its decisions may depend on, beside the history.

    Attributes
    ----------
    factors : tuple of Factor
        Independent variables, ``condition`` first; every combination is a cell of the design.
    sources : tuple of str
        Ids of the photographs that take part, in order.
    balanced : tuple of Factor
        What the paradigm wants to occur equally often in every cell, such as the oddball's location.
    person : Participant
        Whom it is for.
    key : tuple
        Stream of random numbers that all of the experiment's participants share.
    level : LevelScale or None
        What an adaptive schedule moves along.
    chance : float or None
        Proportion correct of one who sees nothing.
    """

    factors: tuple[Factor, ...]
    sources: tuple[str, ...]
    balanced: tuple[Factor, ...]
    person: Participant
    key: tuple[str | int, ...]
    level: LevelScale | None = None
    chance: float | None = None


@dataclass(frozen=True)
class TrialDecision:
    """A trial as a schedule decides it; pictures, crops and places follow from it.

    Attributes
    ----------
    block : int
        From 1.
    levels : dict
        Value of every factor of the design.
    source : str
        The photograph.
    balanced : dict
        Value of every balanced factor.
    exemplar : int
        Rises by one from trial to trial with the same source and the same values of all factors, over
        participants too; the exemplars (seeds) shown follow from it.
    track : str or None
        Which of several interleaved staircases.
    """

    block: int
    levels: Mapping[str, Scalar]
    source: str
    balanced: Mapping[str, Scalar]
    exemplar: int = 0
    track: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "block": self.block,
            "levels": dict(self.levels),
            "source": self.source,
            "balanced": dict(self.balanced),
            "exemplar": self.exemplar,
            "track": self.track,
        }


@dataclass(frozen=True)
class TrialResult:
    """A trial that is over, as a schedule sees it.

    Attributes
    ----------
    levels : dict
        Value of every factor.
    source : str
        The photograph.
    track : str or None
        The staircase.
    correct : bool or None
        Whether the answer was; None where there was none, or where no answer is correct.
    """

    levels: Mapping[str, Scalar] = field(default_factory=dict)
    source: str = ""
    track: str | None = None
    correct: bool | None = None
