"""Defines what every paradigm offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.decisions import Factor, Scalar, TrialDecision
from stimgen.experiment.design.detection import DetectionRule
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.model import Model, Number, validation_error
from stimgen.reading.random_numbers import RandomStream
from stimgen.reading.registry import FamilyMember

Pairing = Literal["original-synthesis", "synthesis-synthesis"]
"""Which pictures of a source are shown together: the original and a synthesis, or syntheses of two seeds."""

AxisDegrees = Annotated[Number, Field(gt=-90.0, lt=90.0)]
PixelOffset = Annotated[Number, Field(ge=-100_000.0, le=100_000.0)]


class PicturePlace(Model):
    """Gives the centre of a picture by `angle` and `eccentricity`, by `x` and `y`, or by `pixels`."""

    angle: Number | None = None
    """Direction from fixation in degrees: 0 is right, 90 is up."""
    eccentricity: Annotated[Number, Field(ge=0.0, lt=90.0)] | None = None
    """Distance from fixation in degrees of visual angle."""
    x: AxisDegrees | None = None
    """Distance to the right of fixation, in degrees of visual angle."""
    y: AxisDegrees | None = None
    """Distance above fixation, in degrees of visual angle."""
    pixels: tuple[PixelOffset, PixelOffset] | None = None
    """Distances to the right of fixation and above it, in pixels."""

    @model_validator(mode="after")
    def _check_one_way(self) -> PicturePlace:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in ({"angle", "eccentricity"}, {"x", "y"}, {"pixels"}):
            raise validation_error("a place must be {angle, eccentricity}, {x, y} or {pixels: [x, y]}")
        return self


CENTRE = PicturePlace(x=0.0, y=0.0)


@dataclass(frozen=True)
class PictureSlot:
    """Represents a picture that a trial needs, before it is known which one."""

    role: Role
    place: PicturePlace
    copy: int = 0
    """Slots with the same role and copy show the same picture and crop. For another copy, ``stimuli.again``
    decides: another crop of the picture, another seed, or the same again."""
    condition: str | None = None
    """Condition of the picture; None for that of the trial."""
    source: str | None = None
    """Source of the picture; None for that of the trial."""


@dataclass(frozen=True)
class Arrangement:
    """Represents a trial before its pictures, crops and pixels are chosen."""

    intervals: tuple[tuple[PictureSlot, ...], ...]
    """The slots of each interval, which are on the screen together."""
    correct: str | None
    """The correct answer."""


@dataclass(frozen=True)
class Perception:
    """Represents what a simulated observer perceives of a trial; nothing of it is not on the screen."""

    dprime: float
    """Sensitivity to the difference between the pictures that the trial shows."""
    mean_dprime: float
    """Mean d' of the whole experiment, at which a criterion is fixed: nobody knows what the next trial is."""
    points: tuple[tuple[float, ...], ...] = ()
    """Where the pictures of the trial, in the order in which they are shown, lie on a perceptual scale or in
    a perceptual space; empty if the paradigm is about differences."""
    noise: float = 0.0
    """Standard deviation of the noise on this scale, or in every dimension of this space."""

    @classmethod
    def constant(cls, dprime: float) -> Perception:
        """Return the perception in an experiment in which all trials have the same d'."""
        return cls(dprime, dprime)


class Paradigm(FamilyMember, ABC):
    """Defines a task: what is shown, what can be answered, what is correct and how an observer decides."""

    name: str

    pairings: ClassVar[frozenset[str]] = frozenset({"original-synthesis", "synthesis-synthesis"})
    """Pairings that the paradigm allows."""
    clickable: ClassVar[bool] = False
    """Whether the answers stand for the pictures of the last interval, in order, so that the participant can
    click on a picture."""
    signal_answer: ClassVar[str] = ""
    """The answer that reports a signal, such as ``different``, if there are trials without a signal; empty if
    every trial has one."""
    detection: ClassVar[DetectionRule | None] = None
    """How often a signal is reported, if the task has a criterion."""
    likeness_helps: ClassVar[bool] = False
    """Whether the task is easier with syntheses that are more like the original, as naming is."""
    is_stream: ClassVar[bool] = False
    """Whether all presses from the first picture on are the answer, which `read_presses` gives."""
    has_correct_answer: ClassVar[bool] = True
    """Whether trials have a correct answer; otherwise answers are a matter of judgement."""
    perceives: ClassVar[Literal["differences", "scale", "space"]] = "differences"
    """What a simulated observer perceives: differences by d', or where each picture lies on a scale or in a
    space."""
    original_once: ClassVar[str] = ""
    """What to write so that a trial shows the original once, for messages; empty if it always does."""

    @property
    def answers_are_places(self) -> bool:
        """Return whether the answers stand for the places of pictures that are on the screen together."""
        return self.clickable and getattr(self, "layout", "spatial") != "temporal"

    @abstractmethod
    def default_keys(self) -> dict[str, str]:
        """Return every possible answer with its default key; nothing if the answer is typed."""

    def answers(self) -> tuple[str, ...]:
        """Return the possible answers, in the order of their keys; none if the answer is typed."""
        return tuple(self.default_keys())

    def answer_without_letters(self) -> str | None:
        """Return the answer that return alone gives if answers are typed; None if it gives none."""
        return None

    def guesses(self) -> tuple[str, ...]:
        """Return what an observer who saw nothing may answer; these are words if the answer is typed."""
        return self.answers()

    @abstractmethod
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        """Return the factors that should occur equally often, such as the location of the odd picture."""

    @property
    def possible_places(self) -> tuple[PicturePlace, ...]:
        """Return where the only picture may be; none if trials show several pictures."""
        return ()

    def factors(self) -> tuple[Factor, ...]:
        """Return the paradigm's own independent variables, if they have several values."""
        return ()

    def picture_factors(self, conditions: Sequence[str], key: tuple[str | int, ...]) -> tuple[Factor, ...]:
        """Return the factors that say of which conditions pictures are shown: by default ``condition``.

        `key` seeds random choices, which are the same for all participants. A choice that is impossible
        raises a `StimgenError`; so it does in `list_sources` and `scale_items`.
        """
        del key
        return (Factor("condition", tuple(conditions)),)

    def list_sources(self, sources: Sequence[str], key: tuple[str | int, ...]) -> tuple[str, ...]:
        """Return what trials have as their source: by default one of the sources, else several of them."""
        del key
        return tuple(sources)

    def scale_items(self, conditions: Sequence[str]) -> tuple[str, ...]:
        """Return the conditions in the order of the scale that is measured; none if there is no scale."""
        del conditions
        return ()

    @abstractmethod
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        """Return what is shown where, and the correct answer."""

    def read_presses(self, trial: Trial, seconds: Sequence[float], refresh_hz: float) -> str:
        """Return the answer that presses at these times since the first picture are, if `is_stream`."""
        raise NotImplementedError

    @abstractmethod
    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the answer of a simulated observer, by the paradigm's decision rule.

        It depends on what the trial shows, and neither on the names of its levels nor on what cannot be seen.
        """

    @abstractmethod
    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct of `decide`, if all trials have the same d'."""

    def proportion_correct_among(self, perceived: Perception) -> float:
        """Return the expected proportion correct at one d' in an experiment with several.

        It differs from `proportion_correct` if the observer has a criterion, which is the same in all trials.
        """
        return self.proportion_correct(perceived.dprime)

    @abstractmethod
    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the answer of an observer who knows only features of the pictures.

        `features` has one vector, noise included, for each picture, in the order in which `trial.phases` show
        them. `stream` is used to guess.
        """

    def check_sources(self, sources: Sequence[str]) -> None:
        """Raise a `StimgenError` if the paradigm cannot ask about one of the sources."""

    def grade(self, trial: Trial, answer: str | None) -> bool | None:
        """Return whether an answer is correct; None if there is no answer, or no answer is correct."""
        return None if answer is None or trial.correct is None else answer == trial.correct


def roles_in_pairing(pairing: Pairing) -> tuple[Role, Role]:
    """Return the roles of the two pictures: the original or its substitute, and the synthesis."""
    return (ORIGINAL if pairing == "original-synthesis" else "other_seed"), SYNTHESIS


def order_roles(first: Scalar, pairing: Pairing) -> tuple[Role, Role]:
    """Return the roles of the two pictures, beginning with the one that a balanced factor names.

    With several pairings, the factor has the role names of the first one; ``synthesis`` occurs in all.
    """
    original, synthesis = roles_in_pairing(pairing)
    return (synthesis, original) if first == SYNTHESIS else (original, synthesis)


def draw_observations(
    answers: Sequence[str], correct: str | None, dprime: float, stream: RandomStream
) -> list[float]:
    """Return one normal observation for each answer; the mean is `dprime` for the correct one, else 0."""
    return [stream.normal() + (dprime if answer == correct else 0.0) for answer in answers]
