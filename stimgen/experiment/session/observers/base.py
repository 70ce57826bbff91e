"""What a session asks of whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Notice, Trial, TrialOutcome
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.schema.session_flow import Instructions

if TYPE_CHECKING:
    from stimgen.experiment.frames.renderer import FrameRenderer
    from stimgen.experiment.pictures.pool import PicturePool
    from stimgen.experiment.schema.schema import Experiment
    from stimgen.experiment.schema.viewing import ViewingGeometry


@dataclass(frozen=True)
class PreparedTrial:
    """A trial with the frames of its phases.

    Attributes
    ----------
    trial : Trial
        What is shown and asked.
    frames : callable
        Composes the frames, one for each phase, in order; it is called outside the timed window.
    feedback : bool
        Whether to tell if the answer was correct.
    """

    trial: Trial
    frames: Callable[[], Sequence[Frame]]
    feedback: bool = False


@dataclass(frozen=True)
class ObserverContext:
    """What an observer is made from: each takes what it needs.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    person : Participant
        Who answers, or whom a simulated observer stands for.
    pool : PicturePool
        The pictures.
    viewing : ViewingGeometry
        The screen as declared.
    frames : FrameRenderer
        Composes what is shown between trials, too.
    keys : dict
        Keys of every answer, for this participant.
    texts : Instructions
        In the session's language.
    windowed : bool
        In a window instead of the full screen.
    """

    experiment: Experiment
    person: Participant
    pool: PicturePool
    viewing: ViewingGeometry
    frames: FrameRenderer
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Instructions = field(default_factory=Instructions)
    windowed: bool = False


class Observer(Protocol):
    """A person in front of a screen, or what stands in for one."""

    def begin(self) -> dict[str, Any]:
        """Get ready; return what was measured of display and timing, for the journal's header.

        Raises
        ------
        StimgenError
            There is no display or no keyboard, the display is not as declared, timing is not verified.
        """

    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        """Load what comes next, up to a break, so that no trial waits for it."""

    def tell(self, notice: Notice) -> None:
        """Show a text and wait until it was read."""

    def respond(self, task: PreparedTrial) -> TrialOutcome:
        """Present a trial and return what came of it.

        Raises
        ------
        Stopped
            Escape was pressed and quitting confirmed.
        """

    def end(self) -> None:
        """Close what `begin` opened; called once, whatever happened."""
