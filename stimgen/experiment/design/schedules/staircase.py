"""Defines the adaptive schedule of staircases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level, select_track
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, OneOrMore

# The first reversals still depend on where a track began.
IGNORED_REVERSALS = 2


class Staircase(AdaptiveSchedule):
    """Runs interleaved transformed up-down staircases (Levitt 1971).

    After `down` correct answers in a row the level becomes harder by one step, after `up` wrong ones easier.
    For ``up: 1`` it converges where p^down = 1/2: 1-up 1-down at .5, 1-up 2-down at .7071, 1-up 3-down at
    .7937.
    """

    name: Literal["staircase"] = "staircase"
    up: Annotated[Integer, Field(ge=1, le=10)] = 1
    """Number of wrong answers in a row after which the level becomes easier."""
    down: Annotated[Integer, Field(ge=1, le=10)] = 2
    """Number of correct answers in a row after which the level becomes harder."""
    start: Annotated[tuple[Number, ...], OneOrMore()] = ()
    """Where tracks begin, rounded to the nearest level: one value for all, or one for each track. The default
    is the easiest level."""
    steps: Annotated[tuple[Annotated[Integer, Field(ge=1)], ...], Field(min_length=1), OneOrMore()] = (1,)
    """Number of levels in a step: the first until the first reversal, the next until the second, and so
    on."""
    tracks: Annotated[Integer, Field(ge=1, le=20)] = 2
    """Number of interleaved staircases for every combination of the other factors."""
    reversals: Annotated[Integer, Field(ge=1)] | None = None
    """Number of reversals after which a track ends."""

    @override
    def check(self, design: Design) -> None:
        super().check(design)
        if len(self.start) not in (0, 1, self.tracks):
            raise StimgenError(
                f"schedule.start has {len(self.start)} values for {self.tracks} tracks: give one for all "
                "tracks, or one for each"
            )

    @override
    def choose_level(self, design: Design, track: Track, history: Sequence[TrialResult]) -> int:
        return self._walk(design, track, history)[0]

    @override
    def is_finished(self, design: Design, track: Track, history: Sequence[TrialResult]) -> bool:
        return self.reversals is not None and len(self._walk(design, track, history)[1]) >= self.reversals

    def summary(self, design: Design, history: Sequence[TrialResult]) -> dict[str, Any]:
        """Return, for every track, the mean level of its reversals without the first two."""
        numbers, found = require_level(design).numbers, {}
        for track in self.all_tracks(design):
            own = select_track(history, track)
            reversals = [numbers[i] for i in self._walk(design, track, own)[1]]
            used = reversals[IGNORED_REVERSALS:] or reversals
            threshold = sum(used) / len(used) if used else None
            found[track.name] = {"threshold": threshold, "reversals": len(reversals), "trials": len(own)}
        return found

    def _walk(self, design: Design, track: Track, history: Sequence[TrialResult]) -> tuple[int, list[int]]:
        """Return the index of a track's next level and the indices of its reversals.

        Trials without an answer are ignored.
        """
        index, reversals = self._first_level(design, track), []
        right = wrong = before = 0
        for result in history:
            if result.correct is None:
                continue
            right, wrong = (right + 1, 0) if result.correct else (0, wrong + 1)
            harder = 1 if right == self.down else -1 if wrong == self.up else 0
            if harder == 0:
                continue
            right = wrong = 0
            if before == -harder:
                reversals.append(index)
            before = harder
            index = self._move(design, index, harder, len(reversals))
        return index, reversals

    def _move(self, design: Design, index: int, harder: int, reversals: int) -> int:
        step = self.steps[min(reversals, len(self.steps) - 1)]
        direction = -harder if self.harder == "lower" else harder
        return max(0, min(len(require_level(design).values) - 1, index + direction * step))

    def _first_level(self, design: Design, track: Track) -> int:
        numbers = require_level(design).numbers
        if not self.start:
            return len(numbers) - 1 if self.harder == "lower" else 0
        start = self.start[track.number % len(self.start)]
        return min(range(len(numbers)), key=lambda i: abs(numbers[i] - start))
