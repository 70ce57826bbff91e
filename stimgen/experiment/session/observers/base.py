"""Defines what a session asks of an observer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import MainStart, Notice, Trial, TrialOutcome
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.schema.session_flow import Instructions

if TYPE_CHECKING:
    from stimgen.experiment.frames.page_pictures import PagePicture
    from stimgen.experiment.frames.renderer import FrameRenderer
    from stimgen.experiment.pictures.pool import PicturePool
    from stimgen.experiment.schema.schema import Experiment
    from stimgen.experiment.schema.viewing import ViewingGeometry


@dataclass(frozen=True)
class PreparedTrial:
    """Represents a trial that can be shown."""

    trial: Trial
    frames: Callable[[], Sequence[Frame]]
    """Renders one frame for each phase, in order; it is called while timing does not matter."""
    feedback: bool = False
    """Whether the participant is told if the answer was correct."""


@dataclass(frozen=True)
class ObserverContext:
    """Holds everything that an observer can be made from."""

    experiment: Experiment
    participant: Participant
    pool: PicturePool
    viewing: ViewingGeometry
    frames: FrameRenderer
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """This participant's keys for every answer."""
    texts: Instructions = field(default_factory=Instructions)
    """Instructions in the session's language."""
    pictures: Mapping[str, PagePicture] = field(default_factory=dict)
    """Pictures of the instructions, by their paths from the experiment's folder."""
    language: str | None = None
    """The session's language; None without instructions."""
    windowed: bool = False
    """Whether the screen is a window instead of the full screen."""
    gamma: tuple[float, ...] | None = None
    """Exponents of red, green and blue that the screen is to undo; None if no table is loaded."""


class Observer(Protocol):
    """Represents a person in front of a screen, or a substitute."""

    def begin(self) -> dict[str, Any]:
        """Get ready, and return measurements of display and timing for the journal's header.

        The run's clock begins here: practice and main trials have their times on it.

        A missing display or keyboard, a display that differs from the declared one, and timing that cannot be
        verified raise a `StimgenError`.
        """

    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        """Load the trials up to the next break, so that no trial has to wait."""

    def tell(self, notice: Notice) -> None:
        """Show a text and wait until it was read."""

    def start(self, task: PreparedTrial) -> MainStart:
        """Start the main trials, of which `task` is the first, after the signal if a trigger waits for one.

        It is called once a run; practice comes before it.
        """

    def respond(self, task: PreparedTrial) -> TrialOutcome:
        """Present a trial and return its outcome; raise `SessionStopped` if the participant quits."""

    def end(self) -> None:
        """Close what `begin` opened; called once, in any case."""
