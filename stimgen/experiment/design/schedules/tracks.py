"""Holds what adaptive schedules share: a level to move along, and interleaved tracks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import (
    Design,
    HarderDirection,
    LevelScale,
    Scalar,
    TrialDecision,
    TrialResult,
    combine_factors,
)
from stimgen.experiment.design.schedules.base import LevelDimension, Schedule
from stimgen.experiment.design.schedules.counterbalance import FIRST_EXEMPLARS
from stimgen.experiment.design.schedules.order import check_gap, draw_spaced_order
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import RandomStream


@dataclass(frozen=True)
class Track:
    """Represents one of several interleaved sequences of levels."""

    name: str
    """Name of the track in the journal."""
    number: int
    """Counts from 0 among the tracks with the same other factors."""
    others: Mapping[str, Scalar]
    """Values of the factors along which the track does not move."""


class AdaptiveSchedule(Schedule):
    """Chooses the next level from the answers, separately for each combination of the other factors."""

    level: LevelDimension
    """The number along which the schedule moves; ``condition`` needs `values`."""
    harder: HarderDirection | None = None
    """Whether lower or higher numbers are harder. By default lower for ``scaling`` and ``duration``, and
    higher for ``regions``, ``depth`` and ``eccentricity``; in naming, which similarity to the original makes
    easier, higher for ``scaling`` and lower for ``regions`` and ``depth``. ``condition`` needs it."""
    tracks: Annotated[Integer, Field(ge=1, le=20)] = 1
    """Number of interleaved tracks for every combination of the other factors."""
    trials: Annotated[Integer, Field(ge=1, le=2000)] = 40
    """Maximum number of trials of a track."""

    adaptive = True

    @override
    def check(self, design: Design) -> None:
        level = require_level(design)
        if len(level.values) < 2:
            raise StimgenError("an adaptive schedule needs at least two levels")
        if self.harder is None and level.harder is None:
            raise StimgenError(
                "schedule.harder is missing: only you know whether lower or higher numbers of your "
                "conditions are harder",
                hint="write harder: lower, or harder: higher",
            )
        check_gap(self.source_gap, len(design.sources), self.trials * len(self.all_tracks(design)))

    @override
    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        return deal_candidates(design, self.trials * len(self.all_tracks(design)), self.source_gap)

    @override
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        track = self._choose_track(design, history)
        if track is None:
            return None
        candidate = self.list_decisions(design)[len(history)]
        level = require_level(design)
        value = level.values[self.choose_level(design, track, select_track(history, track))]
        levels = {**track.others, level.factor: value}
        ordered = {factor.name: levels[factor.name] for factor in design.factors}
        return replace(candidate, levels=ordered, track=track.name)

    def find_harder(self, design: Design) -> HarderDirection:
        """Return whether lower or higher numbers are harder."""
        return self.harder or require_level(design).harder or "lower"

    @abstractmethod
    def choose_level(self, design: Design, track: Track, history: Sequence[TrialResult]) -> int:
        """Return the index of the track's next level, given the results of the track."""

    def is_finished(self, design: Design, track: Track, history: Sequence[TrialResult]) -> bool:
        """Return whether a track ends before it had all its trials."""
        del design, track, history
        return False

    def all_tracks(self, design: Design) -> list[Track]:
        """Return all tracks."""
        level = require_level(design).factor
        return [
            Track(", ".join([str(i + 1), *(f"{name} {value}" for name, value in others.items())]), i, others)
            for others in combine_factors(factor for factor in design.factors if factor.name != level)
            for i in range(self.tracks)
        ]

    def _choose_track(self, design: Design, history: Sequence[TrialResult]) -> Track | None:
        """Return the next track: in every round, each unfinished track has one trial, in random order."""
        tracks = self.all_tracks(design)
        done = {track.name: select_track(history, track) for track in tracks}
        unfinished = [
            track
            for track in tracks
            if len(done[track.name]) < self.trials and not self.is_finished(design, track, done[track.name])
        ]
        if not unfinished:
            return None
        turn = min(len(done[track.name]) for track in unfinished)
        stream = RandomStream(*design.participant_key, "round", turn)
        order = stream.permutation([track.name for track in tracks])
        behind = [track for track in unfinished if len(done[track.name]) == turn]
        return min(behind, key=lambda track: order.index(track.name))


def require_level(design: Design) -> LevelScale:
    """Return the design's level, and raise a `StimgenError` if it has none."""
    if design.level is None:
        raise StimgenError("an adaptive schedule needs a level to move along: set schedule.level")
    return design.level


def select_track(history: Sequence[TrialResult], track: Track) -> list[TrialResult]:
    """Return the results of one track."""
    return [result for result in history if result.track == track.name]


@lru_cache(maxsize=64)
def deal_candidates(design: Design, count: int, gap: int) -> tuple[TrialDecision, ...]:
    """Return candidates for `count` trials, with sources and balanced factors equally often.

    In every round, each source comes once with each combination of the balanced factors; a round that is cut
    off at the end is as even as possible. At least `gap` trials lie between two of the same source.
    """
    combinations = combine_factors(design.balanced)
    own = (*design.participant_key, "candidates")
    exemplars = {
        source: RandomStream(*own, "exemplars", source).randbelow(FIRST_EXEMPLARS)
        for source in design.sources
    }
    found: list[TrialDecision] = []
    while len(found) < count:
        lap = len(found) // (len(combinations) * len(design.sources))
        pairs = [(source, values) for source in design.sources for values in combinations]
        before = [candidate.source for candidate in found[-gap:]] if gap else []
        order = draw_spaced_order([source for source, _ in pairs], gap, before, RandomStream(*own, lap))
        for i in order:
            source, values = pairs[i]
            signal = design.has_signal(values)
            found.append(TrialDecision(1, {}, source, values, exemplars[source], signal=signal))
            exemplars[source] += 1
    return tuple(found[:count])
