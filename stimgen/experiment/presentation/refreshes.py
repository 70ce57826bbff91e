"""One refresh of a screen after the other: when each is due, and how many were missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stimgen.experiment.presentation.screen import PresentationScreen, Scene


class FramePacer:
    """Shows a scene at every refresh.

    Parameters
    ----------
    screen : PresentationScreen
        Opened.
    """

    def __init__(self, screen: PresentationScreen) -> None:
        self._screen = screen
        self._last: float | None = None
        self.missed = 0

    def next(self, scene: Scene, marks: Sequence[Callable[[], None]] = ()) -> float:
        """Show a scene at the next refresh and return when that was; count refreshes that were missed."""
        period, last = self._screen.period, self._last
        if last is None:
            self._last = self._screen.show(scene, None, marks)
            return self._last
        due = last + period
        shown = self._screen.show(scene, due, marks)
        late = max(0, round((shown - last) / period) - 1)
        self.missed += late
        # A screen that waits for its refresh sets the pace; otherwise the pace is ours, and does not drift.
        self._last = shown if self._screen.verified else due + late * period
        return shown

    def take_missed(self) -> int:
        """Return how many refreshes were missed since the last call."""
        missed, self.missed = self.missed, 0
        return missed
