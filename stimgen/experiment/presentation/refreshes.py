"""Shows one refresh of the screen after the other, and counts the missed ones."""

from __future__ import annotations

from stimgen.experiment.presentation.screen import FlipCallbacks, PresentationScreen, Scene


class FramePacer:
    """Shows a scene at every refresh of an open screen."""

    def __init__(self, screen: PresentationScreen) -> None:
        self._screen = screen
        self._last: float | None = None
        self._missed = 0

    def show_next(self, scene: Scene, on_flip: FlipCallbacks = ()) -> float:
        """Show a scene at the next refresh, return when that was, and count missed refreshes."""
        period, last = self._screen.period, self._last
        if last is None:
            self._last = self._screen.show(scene, None, on_flip)
            return self._last
        due = last + period
        shown = self._screen.show(scene, due, on_flip)
        late = max(0, round((shown - last) / period) - 1)
        self._missed += late
        # A screen that waits for its refresh sets the pace. Otherwise we do, without drift.
        self._last = shown if self._screen.verified else due + late * period
        return shown

    def take_missed(self) -> int:
        """Return how many refreshes were missed since the last call."""
        missed, self._missed = self._missed, 0
        return missed
