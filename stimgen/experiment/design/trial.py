"""Defines what a trial shows and what is recorded of it; all of it goes into the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from stimgen.experiment.design.decisions import Scalar
from stimgen.images.light import Encoding
from stimgen.reading.model import Model

ORIGINAL: Final = "original"
SYNTHESIS: Final = "synthesis"
Role = Literal["original", "synthesis", "other_seed"]
Box = tuple[int, int, int, int]
Coordinate = Annotated[float, Field(ge=-1e5, le=1e5)]


class JournalPart(Model):
    """Is a part of a journal's line; what came later is left out where it has its default.

    So a trial that an earlier version could show has the same line as before.
    """

    came_later: ClassVar[frozenset[str]] = frozenset()
    """Fields that version 0.1.0 did not have; each has a default."""

    @model_serializer(mode="wrap")
    def _leave_out_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        for name in self.came_later:
            if getattr(self, name) == type(self).model_fields[name].get_default(call_default_factory=True):
                found.pop(name, None)
        return found


class ShownPicture(Model):
    """Describes a picture, or a part of one, on the screen."""

    set: int
    """Index of the stimulus set in the experiment, from 0."""
    id: str | None
    """Id of the stimulus; None for an original."""
    file: str
    """Path relative to the set's folder."""
    sha256: str
    """Hash of the file's bytes."""
    role: Role
    """``other_seed`` is a synthesis of another seed that is shown instead of the original."""
    condition: str
    """Condition of the stimulus; for an original, the condition of the syntheses it is shown with."""
    source: str
    seed: int | None
    """None for an original."""
    crop: Box
    """Left, top, width and height, in pixels of the picture."""
    position: tuple[float, float]
    """Centre in pixels from the screen's centre, x to the right, y up, after rounding to whole pixels."""
    degrees: tuple[float, float]
    """The position in degrees of visual angle."""
    size: tuple[int, int]
    """Width and height on the screen, in pixels."""
    size_degrees: tuple[float, float]
    """Width and height in degrees of visual angle, as seen at this position."""
    encoding: Encoding
    """How pixel values relate to luminance."""


class MaskPatch(Model):
    """Describes what covers the place of a picture, through the same aperture."""

    kind: Literal["noise", "scrambled", "texture"]
    picture: ShownPicture
    """What is seen, with its place and its part. ``scrambled``: its phases are drawn anew. ``noise``: only
    its place counts."""
    seed: Annotated[int, Field(ge=0, lt=2**53)]
    """Seed of the noise or of the phases."""
    grain: Annotated[int, Field(ge=1, le=256)] | None = None
    """Side of the noise's squares, in pixels of the screen."""


class CueMark(Model):
    """Describes a mark of a cue, in pixels from the screen's centre, x to the right, y up."""

    shape: Literal["ring", "dot", "line"]
    ends: tuple[Coordinate, Coordinate, Coordinate, Coordinate]
    """Both ends of a line; the centre, twice, of a ring or a dot."""
    width: Annotated[int, Field(ge=1, le=20_000)]
    """Diameter, or width of the line."""


class Phase(JournalPart):
    """Describes what stays on the screen for a number of refreshes."""

    kind: Literal["fixation", "cue", "stimulus", "gap", "between", "mask"]
    """``gap`` is fixation from the pictures to what must begin at a set time after them, or from a cue to the
    pictures."""
    frames: int
    """Duration in refreshes of the screen."""
    interval: int | None = None
    """Number of the interval, from 1, of a ``stimulus`` or its ``mask``."""
    shown: tuple[ShownPicture, ...] = ()
    mask: tuple[Box, ...] = ()
    """Left, top, width and height of the areas that a ``mask`` of noise covers, in pixels of the screen."""
    covers: tuple[MaskPatch, ...] = ()
    """What a ``mask`` of another kind shows, before pictures, or through an aperture."""
    cues: tuple[CueMark, ...] = ()
    """Marks of a ``cue``."""

    came_later = frozenset({"covers", "cues"})


class Trial(JournalPart):
    """Describes a trial before it is run."""

    index: int
    """Counts from 1 over the whole session, practice and catch trials included."""
    block: int
    """Counts from 1."""
    practice: bool = False
    catch: str | None = None
    """Name of the kind of catch trial; None for other trials."""
    track: str | None = None
    """Name of the adaptive track."""
    levels: dict[str, Scalar]
    """Value of every factor of the design."""
    number: float | None = None
    """The level's number, if the schedule has a level; None if an adaptive schedule shows a trial in which
    the level cannot be seen, such as an original in yes-no."""
    signal: bool | None = None
    """Whether the trial has a signal, which moves the track; None if all trials of the schedule do."""
    source: str
    source_factors: dict[str, str] = Field(default_factory=dict)
    """What the set says of the source, or of several that are shown together, such as their category."""
    balanced: dict[str, Scalar]
    """Value of every balanced factor."""
    phases: tuple[Phase, ...]
    """What is shown, in order; after the last phase only fixation is shown until there is an answer."""
    answers: tuple[str, ...]
    """Possible answers; empty if the answer is typed."""
    correct: str | None
    """The correct answer; None if there is none."""
    between_trials: int | None = None
    """Fewest refreshes from the end of the trial before to this one, if they were drawn; None if the
    experiment has one duration for all."""

    came_later = frozenset({"between_trials", "catch", "signal", "source_factors"})

    @property
    def factors(self) -> dict[str, Scalar]:
        """Return the value of every factor: those of the design, balanced ones, and those of the sources."""
        return {**self.source_factors, **self.levels, **self.balanced}

    @property
    def is_main(self) -> bool:
        """Return whether the trial counts: it is neither practice nor a catch trial."""
        return not self.practice and self.catch is None

    @property
    def stimuli(self) -> tuple[Phase, ...]:
        """Return the phases that show pictures."""
        return tuple(phase for phase in self.phases if phase.kind == "stimulus")


class Press(Model):
    """Records a key press, a click or a button press."""

    answer: str
    key: str
    seconds: float
    """Time since the onset of the first picture."""


class PresentedPhase(Model):
    """Records how a phase was shown; times are in seconds on the run's clock, which practice shares."""

    frame_sha256: str | None
    """Hash of the rendered frame, see `Frame.sha256`; None if the observer saw no frame."""
    intended_onset: float
    onset: float
    """Time that the screen's flip reported."""
    intended_duration: float
    duration: float
    dropped: int
    """Number of refreshes that were missed during the phase."""


class FurtherAnswer(Model):
    """Records the answer to a question that followed the answer of a trial."""

    question: str
    """Name of the question in tables."""
    answer: str | None
    """None if there was no answer in time."""
    key: str | None = None
    seconds: float | None = None
    """Time from the onset of the question to the answer."""
    presses: tuple[Press, ...] = ()
    """All presses; their times count from the onset of the question."""
    onset: float
    """When the question appeared, in seconds on the run's clock."""
    frame_sha256: str | None = None
    """Hash of what was behind the texts when the question was answered, with the slider's mark."""
    interrupted: int = 0
    """How often a pause interrupted the question, after which it was shown again."""


class TrialOutcome(JournalPart):
    """Records how a trial ended."""

    answer: str | None
    """None if there was no answer in time."""
    key: str | None = None
    seconds: float | None = None
    """Time from the onset of the first picture to the answer that counted."""
    presses: tuple[Press, ...] = ()
    """All presses, including those that did not count."""
    shots: tuple[PresentedPhase, ...] = ()
    """One entry for each phase of the trial."""
    interrupted: int = 0
    """How often a pause interrupted the trial, after which it was shown again from its beginning."""
    timing_verified: bool = False
    """Whether the screen's timing was checked and found good in this session."""
    further: tuple[FurtherAnswer, ...] = ()
    """Answers to the questions that followed, in their order; none after a missed trial."""

    came_later = frozenset({"further"})


MAIN_START: Final = "main_start"
"""The journal's event of a `MainStart`."""


@dataclass(frozen=True)
class MainStart:
    """Records when the main trials of a run began."""

    seconds: float
    """Time on the run's clock, which begins before the practice."""
    trigger: str | None = None
    """Name of the trigger whose signal started them; None if no trigger waited for one."""


NoticeKind = Literal["start", "ready", "practice", "practice_again", "block", "break", "end"]


@dataclass(frozen=True)
class Notice:
    """Represents a text that the participant reads before the next trial."""

    kind: NoticeKind
    text: str
    """Text in the session's language; paragraphs end with line feeds."""
    picture: str = ""
    """Path of a picture above the text, from the experiment's folder; empty if there is none."""
    minimum_s: float = 0.0
    """Seconds before which it cannot be left."""
    maximum_s: float | None = None
    """Seconds after which it ends by itself; None if it waits for a key."""
