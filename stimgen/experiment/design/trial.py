"""A trial: what is shown where and when, and what came of it. All of it goes into the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from stimgen.experiment.design.decisions import Scalar
from stimgen.images.light import Encoding
from stimgen.reading.model import Model

ORIGINAL: Final = "original"
SYNTHESIS: Final = "synthesis"
Role = Literal["original", "synthesis", "other_seed"]
Box = tuple[int, int, int, int]


class ShownPicture(Model):
    """A picture, or a part of one, on the screen."""

    set: int
    """Which of the experiment's sets, from 0."""
    id: str | None
    """The stimulus; None for an original."""
    file: str
    """Path relative to the set's folder."""
    sha256: str
    """Hash of the file's bytes."""
    role: Role
    """``other_seed`` is the synthesis of another seed that takes the original's part."""
    condition: str
    """The stimulus' condition; of an original, that of the syntheses it is shown with."""
    source: str
    seed: int | None
    """None for an original."""
    crop: Box
    """Left, top, width and height, in pixels of the picture."""
    position: tuple[float, float]
    """Centre of what is shown, in pixels from the screen's centre, x to the right, y up; as achieved, at
    whole pixels of the screen."""
    degrees: tuple[float, float]
    """The same in degrees of visual angle."""
    size: tuple[int, int]
    """Width and height on the screen, in pixels."""
    size_degrees: tuple[float, float]
    """The same in degrees of visual angle, as seen at this position."""
    encoding: Encoding
    """How the file's values mean light."""


class Phase(Model):
    """What stays on the screen for a number of frames."""

    kind: Literal["fixation", "stimulus", "between", "mask"]
    frames: int
    """How many refreshes of the screen."""
    interval: int | None = None
    """Of a ``stimulus`` or its ``mask``: which, from 1."""
    shown: tuple[ShownPicture, ...] = ()
    mask: tuple[Box, ...] = ()
    """Of a ``mask``: left, top, width and height of what it covers, in pixels of the screen."""


class Trial(Model):
    """One trial, before it is run."""

    index: int
    """From 1, over the whole session, practice included."""
    block: int
    """From 1."""
    practice: bool = False
    track: str | None = None
    """The staircase."""
    levels: dict[str, Scalar]
    """Value of every factor of the design."""
    number: float | None = None
    """The level's number, where a schedule moves along one."""
    source: str
    balanced: dict[str, Scalar]
    """Value of every balanced factor."""
    phases: tuple[Phase, ...]
    """What is on the screen, one after the other; then the answer is awaited with fixation alone."""
    answers: tuple[str, ...]
    """What can be answered; nothing where the answer is typed."""
    correct: str | None
    """The correct answer; None where there is none."""

    @property
    def stimuli(self) -> tuple[Phase, ...]:
        """The phases that show pictures."""
        return tuple(phase for phase in self.phases if phase.kind == "stimulus")


class Press(Model):
    """A key that was pressed, a click or a button."""

    answer: str
    key: str
    seconds: float
    """Since the onset of the first picture."""


class PresentedPhase(Model):
    """A phase as it was on the screen. Times are in seconds since the session's clock began."""

    frame_sha256: str | None
    """Hash of the frame as composed; see `Frame.sha256`. None where an observer saw none."""
    intended_onset: float
    onset: float
    """As the flip reported it."""
    intended_duration: float
    duration: float
    dropped: int
    """Refreshes that were missed during the phase."""


class TrialOutcome(Model):
    """What came of a trial."""

    answer: str | None
    """None: there was none in time."""
    key: str | None = None
    seconds: float | None = None
    """From the onset of the first picture to the answer that counted."""
    presses: tuple[Press, ...] = ()
    """All, also those that did not count."""
    shots: tuple[PresentedPhase, ...] = ()
    """One for each of the trial's phases."""
    interrupted: int = 0
    """How often the trial was broken off by a pause, and shown again from its beginning."""
    timing_verified: bool = False
    """Whether the screen's timing was checked and found good in this session."""


NoticeKind = Literal["start", "practice", "practice_again", "block", "break", "end"]


@dataclass(frozen=True)
class Notice:
    """Something to read before the next trial."""

    kind: NoticeKind
    text: str
    """In the session's language; paragraphs end with line feeds."""
