"""Defines what presentation needs of a screen, a keyboard and a mouse, without PsychoPy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import Frame

FlipCallbacks = Sequence[Callable[[], None]]


class SessionStopped(Exception):  # noqa: N818 - not an error: the participant or the experimenter ended the session
    """Ends the session. What was answered is kept; the trial on the screen is not."""


@dataclass(frozen=True)
class PressEvent:
    """Represents a press of a key or of a mouse button."""

    key: str
    """PsychoPy's name of the key; of a button ``left``, ``middle`` or ``right``."""
    time: float
    """When it went down, in seconds of the screen's clock."""
    point: tuple[float, float] | None = None
    """Of a button, where the pointer was, in pixels from the screen's centre, y up."""


@dataclass(frozen=True)
class TypedCharacter:
    r"""Represents a typed character: a letter, ``\b`` for backspace or ``\r`` for return."""

    character: str
    """As the keyboard's layout and input method make it."""
    time: float
    """When it came, in seconds of the screen's clock, to within a refresh."""


@dataclass(frozen=True)
class TextBox:
    """Represents a text that is centred in a box on the screen.

    Long lines are broken, and letters are smaller if the text does not fit otherwise.
    """

    text: str
    box: Box
    """Left, top, width and height in pixels of the screen."""


@dataclass(frozen=True)
class Scene:
    """Represents a frame with texts over it."""

    frame: Frame
    texts: tuple[TextBox, ...] = ()


@dataclass(frozen=True)
class RefreshMeasurement:
    """Describes how a screen refreshes."""

    hz: float
    """One over the median interval between flips."""
    interval_sd_ms: float
    """Standard deviation of the intervals, in milliseconds."""
    dropped: int
    """Number of missed refreshes."""
    refreshes: int
    """Number of intervals."""

    @classmethod
    def from_flip_times(cls, times: Sequence[float]) -> RefreshMeasurement:
        """Return the measurement from the times of at least three flips, in seconds."""
        intervals = [after - before for before, after in pairwise(times)]
        median = statistics.median(intervals)
        missed = sum(max(0, round(interval / median) - 1) for interval in intervals)
        return cls(1 / median, 1000 * statistics.stdev(intervals), missed, len(intervals))

    def problem(self, declared_hz: float) -> str | None:
        """Return why durations are not reliable, or None if they are; the journal's header holds this text.

        The rate may differ by 1 % from the declared one, and one refresh in a hundred may be missed.
        """
        if self.hz > 1.5 * declared_hz:
            return (
                f"the screen does not wait for its refresh, or has another rate: {self.hz:.1f} flips a "
                f"second, {declared_hz:g} declared"
            )
        if abs(self.hz / declared_hz - 1) > 0.01:
            return f"the screen refreshes at {self.hz:.2f} Hz, {declared_hz:g} declared"
        if self.dropped > 0.01 * self.refreshes:
            return f"{self.dropped} of {self.refreshes} refreshes were missed"
        return None


class PresentationScreen(Protocol):
    """Shows scenes, and reads the keyboard and the mouse."""

    size: tuple[int, int]
    """Width and height in pixels."""
    period: float
    """Seconds from one refresh to the next, as declared."""
    verified: bool
    """Whether flips were found to wait for the refresh. Otherwise `show` waits until scenes are due."""

    def open(self) -> dict[str, Any]:
        """Open the screen and return what was measured.

        Raises `StimgenError` if there is no display or no keyboard, or they are not as declared.
        """

    def close(self) -> None:
        """Close the screen; nothing happens if it is not open."""

    def read_clock(self) -> float:
        """Return the time in seconds, on the clock of flips and presses."""

    def load(self, scene: Scene) -> None:
        """Prepare a frame and its texts, so that they can be shown at once."""

    def release(self) -> None:
        """Free all frames and texts that were loaded."""

    def show(self, scene: Scene, due: float | None = None, on_flip: FlipCallbacks = ()) -> float:
        """Show a scene at the next refresh, call `on_flip` as soon as it is shown, and return when that was.

        When the scene is due matters only if flips do not wait for the refresh.
        """

    def show_pointer(self, *, visible: bool) -> None:
        """Show or hide the mouse pointer."""

    def check_keys(self, keys: Sequence[str]) -> None:
        """Raise StimgenError, with the nearest name, if no key of the keyboard has one of these names."""

    def read_presses(self) -> list[PressEvent]:
        """Return the presses since the last call, in order."""

    def read_characters(self) -> list[TypedCharacter]:
        """Return the characters that were typed since the last call, in order."""
