"""Staircases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, OneOrMore

# The first reversals still tell of where a track began.
IGNORED_REVERSALS = 2


class Staircase(AdaptiveSchedule):
    """Transformed up-down staircases, interleaved (Levitt 1971).

    After `down` correct answers in a row the level becomes harder by a step, after `up` wrong ones easier. It
    settles where p^down = 1/2 for ``up: 1``: 1-up 1-down at .5, 1-up 2-down at .7071, 1-up 3-down at .7937.
    """

    name: Literal["staircase"] = "staircase"
    up: Annotated[Integer, Field(ge=1, le=10)] = 1
    """Wrong answers in a row after which it becomes easier."""
    down: Annotated[Integer, Field(ge=1, le=10)] = 2
    """Correct answers in a row after which it becomes harder."""
    start: Annotated[tuple[Number, ...], OneOrMore()] = ()
    """Where tracks begin, at the nearest level that there is; one for all, or one a track. The easiest
    level where none is given."""
    steps: Annotated[tuple[Annotated[Integer, Field(ge=1)], ...], Field(min_length=1), OneOrMore()] = (1,)
    """How many levels a step is: the first until the first reversal, the next until the second, ..."""
    tracks: Annotated[Integer, Field(ge=1, le=20)] = 2
    """Interleaved staircases, for every combination of the other factors."""
    reversals: Annotated[Integer, Field(ge=1)] | None = None
    """After which a track ends."""

    def check(self, design: Design) -> None:
        """Refuse starts that are not one for all or one a track, and what no adaptive schedule can do."""
        super().check(design)
        if len(self.start) not in (0, 1, self.tracks):
            raise StimgenError(f"{len(self.start)} starts for {self.tracks} tracks: say one, or one for each")

    def index(self, design: Design, track: Track, own: Sequence[TrialResult]) -> int:
        """Return where the track is."""
        return self._walk(design, track, own)[0]

    def ended(self, design: Design, track: Track, own: Sequence[TrialResult]) -> bool:
        """Return whether the track has turned as often as it should."""
        return self.reversals is not None and len(self._walk(design, track, own)[1]) >= self.reversals

    def summary(self, design: Design, history: Sequence[TrialResult]) -> dict[str, Any]:
        """Return for every track the mean level of its reversals, the first two left out."""
        level, found = require_level(design), {}
        for track in self.all_tracks(design):
            own = [past for past in history if past.track == track.name]
            turned = [level.numbers[i] for i in self._walk(design, track, own)[1]]
            used = turned[IGNORED_REVERSALS:] or turned
            threshold = sum(used) / len(used) if used else None
            found[track.name] = {"threshold": threshold, "reversals": len(turned), "trials": len(own)}
        return found

    def _walk(self, design: Design, track: Track, own: Sequence[TrialResult]) -> tuple[int, list[int]]:
        """Return the index of a track's next level, and those at which it turned; no answer moves nothing."""
        at, turned = self._first(design, track), []
        right = wrong = before = 0
        for past in own:
            if past.correct is None:
                continue
            right, wrong = (right + 1, 0) if past.correct else (0, wrong + 1)
            harder = 1 if right == self.down else -1 if wrong == self.up else 0
            if harder == 0:
                continue
            right = wrong = 0
            if before == -harder:
                turned.append(at)
            before = harder
            at = self._moved(design, at, harder, len(turned))
        return at, turned

    def _moved(self, design: Design, at: int, harder: int, turned: int) -> int:
        step = self.steps[min(turned, len(self.steps) - 1)]
        direction = -harder if self.harder == "lower" else harder
        return max(0, min(len(require_level(design).values) - 1, at + direction * step))

    def _first(self, design: Design, track: Track) -> int:
        numbers = require_level(design).numbers
        if not self.start:
            return len(numbers) - 1 if self.harder == "lower" else 0
        start = self.start[track.number % len(self.start)]
        return min(range(len(numbers)), key=lambda i: abs(numbers[i] - start))
