"""What every paradigm of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.decisions import Factor, Scalar, TrialDecision
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.model import Model, Number, validation_error
from stimgen.reading.random_numbers import RandomStream
from stimgen.reading.registry import FamilyMember

Pairing = Literal["original-synthesis", "synthesis-synthesis"]
"""Which pictures of a source are shown together: the original and a synthesis, or syntheses of two seeds."""

AxisDegrees = Annotated[Number, Field(gt=-90.0, lt=90.0)]
PixelOffset = Annotated[Number, Field(ge=-100_000.0, le=100_000.0)]


class PicturePlace(Model):
    """Where the centre of a picture is: `angle` and `eccentricity`, or `x` and `y`, or `pixels`."""

    angle: Number | None = None
    """Direction from fixation in degrees, 0 to the right, 90 up."""
    eccentricity: Annotated[Number, Field(ge=0.0, lt=90.0)] | None = None
    """Distance from fixation in degrees of visual angle."""
    x: AxisDegrees | None = None
    """To the right of fixation, in degrees of visual angle."""
    y: AxisDegrees | None = None
    """Above fixation, in degrees of visual angle."""
    pixels: tuple[PixelOffset, PixelOffset] | None = None
    """To the right of fixation and above it, in pixels."""

    @model_validator(mode="after")
    def _check_one_way(self) -> PicturePlace:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in ({"angle", "eccentricity"}, {"x", "y"}, {"pixels"}):
            raise validation_error("a place is {angle, eccentricity}, {x, y} or {pixels: [x, y]}")
        return self


CENTRE = PicturePlace(x=0.0, y=0.0)


@dataclass(frozen=True)
class PictureSlot:
    """A picture that a trial needs, before it is known which.

    Attributes
    ----------
    role : {"original", "synthesis", "other_seed"}
        What it is.
    place : PicturePlace
        Where.
    copy : int
        Items with the same role and copy are the very same picture and crop; with another copy, what
        ``stimuli.again`` says: another crop of that picture, another seed, or the same.
    """

    role: Role
    place: PicturePlace
    copy: int = 0


@dataclass(frozen=True)
class Arrangement:
    """A trial before its pictures, crops and pixels are chosen.

    Attributes
    ----------
    intervals : tuple
        Of items that are on the screen together; one after the other.
    correct : str or None
        The correct answer.
    """

    intervals: tuple[tuple[PictureSlot, ...], ...]
    correct: str | None


class Paradigm(FamilyMember, ABC):
    """A task: what is shown together, what can be answered, what is correct, how an observer decides."""

    name: str

    meetings: ClassVar[frozenset[str]] = frozenset({"original-synthesis", "synthesis-synthesis"})
    """Which pictures may meet in it."""
    points: ClassVar[bool] = False
    """Whether the answers mean the pictures of the last interval, in order, so that an answer can be a click
    at a picture."""

    @abstractmethod
    def answers(self) -> tuple[str, ...]:
        """Return what can be answered, in the order of keys; nothing where the answer is typed."""

    def guesses(self) -> tuple[str, ...]:
        """Return what one answers who saw nothing: any answer, or any word where it is typed."""
        return self.answers()

    @abstractmethod
    def keys(self) -> dict[str, str]:
        """Return the usual key for every answer."""

    @abstractmethod
    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return what is to occur equally often, such as the oddball's location."""

    def factors(self) -> tuple[Factor, ...]:
        """Return independent variables of the paradigm's own that have several values; usually none."""
        return ()

    @abstractmethod
    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return what is shown where, and the correct answer."""

    @abstractmethod
    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return the answer of an observer with sensitivity `dprime`, by the paradigm's decision rule."""

    @abstractmethod
    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct of `decide`, computed and not simulated."""

    @abstractmethod
    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the answer of an observer who sees nothing but features of the pictures.

        Parameters
        ----------
        trial : Trial
            What is shown.
        features : sequence
            A vector for each picture, in the order in which `trial.phases` show them, noise included.
        stream : RandomStream
            To choose between equals.
        """

    def check_sources(self, sources: Sequence[str]) -> None:
        """Refuse sources that the paradigm cannot ask about.

        Raises
        ------
        StimgenError
            There are some.
        """

    def grade(self, trial: Trial, answer: str | None) -> bool | None:
        """Return whether an answer is correct; None where there is none, or where nothing is correct."""
        return None if answer is None or trial.correct is None else answer == trial.correct


def roles_in_pairing(meeting: Pairing) -> tuple[Role, Role]:
    """Return the roles of the two pictures that meet: the original or who takes its part, the synthesis."""
    return (ORIGINAL if meeting == "original-synthesis" else "other_seed"), SYNTHESIS


def order_roles(value: Scalar, meeting: Pairing) -> tuple[Role, Role]:
    """Return the roles of the two pictures that meet, first the one that a balanced factor names.

    Where pictures meet in several ways, the factor has the words of the first; ``synthesis`` is in all.
    """
    first, second = roles_in_pairing(meeting)
    return (second, first) if value == SYNTHESIS else (first, second)
