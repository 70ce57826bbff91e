"""What presenting asks of a screen with a keyboard and a mouse; no more is known of PsychoPy elsewhere."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import Frame

DARK = 110
"""Level of a background, below which letters and lines are white; otherwise they are black."""


class SessionStopped(Exception):  # noqa: N818 - no error: the participant or the experimenter ended the session
    """The session is to end now; what was answered is kept, and the trial on the screen is not."""


@dataclass(frozen=True)
class PressEvent:
    """A key of the keyboard, or a button of the mouse.

    Attributes
    ----------
    key : str
        Its name, as PsychoPy has it; of a button ``left``, ``middle`` or ``right``.
    time : float
        When it went down, in seconds of the screen's clock.
    point : tuple of float or None
        Of a button, where the pointer was: pixels from the screen's centre, y up.
    """

    key: str
    time: float
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class TypedCharacter:
    r"""A character that was typed: a letter, ``\b`` to take one away, or ``\r`` for the end.

    Attributes
    ----------
    character : str
        As the keyboard's layout and input method make it.
    time : float
        When it came, in seconds of the screen's clock; to a refresh.
    """

    character: str
    time: float


@dataclass(frozen=True)
class TextBox:
    """A text on the screen.

    Attributes
    ----------
    text : str
        Lines are broken where they become too long, and letters become smaller where there are too many.
    box : tuple of int
        Left, top, width and height of where it is centred, in pixels of the screen.
    """

    text: str
    box: Box


@dataclass(frozen=True)
class Scene:
    """A frame, with texts over it."""

    frame: Frame
    texts: tuple[TextBox, ...] = ()


@dataclass(frozen=True)
class RefreshMeasurement:
    """How a screen refreshes, as measured.

    Attributes
    ----------
    hz : float
        One over the median interval between flips.
    interval_sd_ms : float
        Standard deviation of the intervals, in milliseconds.
    dropped : int
        Refreshes that were missed.
    refreshes : int
        How many intervals were measured.
    """

    hz: float
    interval_sd_ms: float
    dropped: int
    refreshes: int

    @classmethod
    def of(cls, times: Sequence[float]) -> RefreshMeasurement:
        """Return what the times of flips tell, in seconds, at least three."""
        intervals = [after - before for before, after in zip(times, times[1:], strict=False)]
        usual = statistics.median(intervals)
        missed = sum(max(0, round(interval / usual) - 1) for interval in intervals)
        return cls(1 / usual, 1000 * statistics.stdev(intervals), missed, len(intervals))

    def problem(self, declared_hz: float) -> str | None:
        """Return why durations cannot be relied on, or None.

        The rate may be 1 % off the declared one, and one refresh in a hundred may be missed.
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
    """A screen that shows scenes, and says what was pressed."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def period(self) -> float:
        """Seconds from one refresh to the next, as declared."""

    @property
    def verified(self) -> bool:
        """Whether flips were found to wait for the refresh; otherwise `show` waits until they are due."""

    def open(self) -> dict[str, Any]:
        """Open it and return what was measured.

        Raises
        ------
        StimgenError
            There is no display or no keyboard, or they are not as declared.
        """

    def close(self) -> None:
        """Close it; nothing happens where it is not open."""

    def read_clock(self) -> float:
        """Return the time in seconds, on the clock of flips and keys."""

    def load(self, scene: Scene) -> None:
        """Make a frame and texts ready to be shown at once."""

    def release(self) -> None:
        """Forget all frames that were loaded."""

    def show(self, scene: Scene, due: float | None = None, marks: Sequence[Callable[[], None]] = ()) -> float:
        """Show a scene at the next refresh and return when that was.

        Parameters
        ----------
        scene : Scene
            What is shown.
        due : float, optional
            When it should be; a screen whose refresh is not waited for waits until then.
        marks : sequence of callable
            What is called as soon as the scene is on the screen.
        """

    def check_keys(self, keys: Sequence[str]) -> None:
        """Refuse names that no key of the keyboard has.

        Raises
        ------
        StimgenError
            With the nearest name.
        """

    def read_presses(self) -> list[PressEvent]:
        """Return what was pressed since the last call, in order."""

    def typed(self) -> list[TypedCharacter]:
        """Return what was typed since the last call, in order."""
