"""Defines the adaptive schedule of staircases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.reversals import (
    average_reversals,
    compute_target,
    find_reversals,
    trace_moves,
)
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level, select_track
from stimgen.experiment.design.threshold import UNITS, TrackChange, TrackReversal, TrackThreshold
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, OneOrMore


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
    """Number of reversals after which a track ends; a threshold needs at least six."""

    @override
    def check(self, design: Design) -> None:
        super().check(design)
        if design.detection is not None:
            task = design.detection.task
            raise StimgenError(
                f"a staircase cannot measure {task}: it would follow the observer's criterion, not the level",
                hint="use schedule: questplus, which estimates the criterion from trials without a signal, "
                "or a forced choice such as two_afc or abx",
            )
        if len(self.start) not in (0, 1, self.tracks):
            raise StimgenError(
                f"schedule.start has {len(self.start)} values for {self.tracks} tracks: give one for all "
                "tracks, or one for each"
            )

    @override
    def choose_level(self, design: Design, track: Track, history: Sequence[TrialResult]) -> int:
        index, reversals = self._first_level(design, track), 0
        moves = self._trace(history)
        turned = set(find_reversals(moves))
        for position, move in enumerate(moves):
            reversals += position in turned
            if move:
                index = self._move(design, index, move, reversals)
        return index

    @override
    def is_finished(self, design: Design, track: Track, history: Sequence[TrialResult]) -> bool:
        return self.reversals is not None and len(find_reversals(self._trace(history))) >= self.reversals

    @override
    def describe_track(self, design: Design, history: Sequence[TrialResult]) -> TrackChange:
        own = [result for result in history if result.track == history[-1].track]
        return TrackChange(reversal=len(own) - 1 in find_reversals(self._trace(own)))

    @override
    def find_thresholds(self, design: Design, history: Sequence[TrialResult]) -> tuple[TrackThreshold, ...]:
        return tuple(
            self._find_threshold(design, track.name, select_track(history, track))
            for track in self.all_tracks(design)
        )

    def _find_threshold(self, design: Design, track: str, own: Sequence[TrialResult]) -> TrackThreshold:
        scale = require_level(design)
        numbers = dict(zip(scale.values, scale.numbers, strict=True))
        levels = [numbers[result.levels[scale.factor]] for result in own]
        found = average_reversals(levels, self._trace(own), scale.numbers, self.find_harder(design))
        return TrackThreshold(
            track=track,
            level=scale.by,
            unit=UNITS.get(scale.by),
            threshold=found.threshold,
            reason=found.reason,
            method=f"{'geometric ' if found.geometric else ''}mean of reversals",
            target=f"{compute_target(self.up, self.down):.3f} correct",
            trials=len(own),
            counted=sum(result.correct is not None and result.signal for result in own),
            without_signal=sum(not result.signal for result in own),
            sd=found.sd,
            reversals=tuple(
                TrackReversal(trial=own[i].index, level=levels[i], used=i in found.used)
                for i in found.reversals
            ),
        )

    def _trace(self, history: Sequence[TrialResult]) -> list[int]:
        """Return the move of a track after each of its trials."""
        answers = [result.correct if result.signal else None for result in history]
        return trace_moves(answers, self.up, self.down)

    def _move(self, design: Design, index: int, harder: int, reversals: int) -> int:
        step = self.steps[min(reversals, len(self.steps) - 1)]
        direction = -harder if self.find_harder(design) == "lower" else harder
        return max(0, min(len(require_level(design).values) - 1, index + direction * step))

    def _first_level(self, design: Design, track: Track) -> int:
        numbers = require_level(design).numbers
        if not self.start:
            return len(numbers) - 1 if self.find_harder(design) == "lower" else 0
        start = self.start[track.number % len(self.start)]
        return min(range(len(numbers)), key=lambda i: abs(numbers[i] - start))
