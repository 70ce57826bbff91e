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
from stimgen.experiment.design.schedules.constant import BlockOrder
from stimgen.experiment.design.schedules.constant_trials import BLOCK_ORDERS, order_blocks
from stimgen.experiment.design.schedules.counterbalance import FIRST_EXEMPLARS
from stimgen.experiment.design.schedules.order import check_gap, draw_spaced_order
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, OneOrMore, Text
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
    """Whether lower or higher numbers are harder. By default lower for ``scaling``, ``duration`` and ``soa``,
    and higher for ``regions``, ``depth`` and ``eccentricity``; in naming, which likeness to the original
    makes easier, higher for ``scaling`` and lower for ``regions`` and ``depth``. ``condition`` needs it."""
    tracks: Annotated[Integer, Field(ge=1, le=20)] = 1
    """Number of interleaved tracks for every combination of the other factors."""
    trials: Annotated[Integer, Field(ge=1, le=2000)] = 40
    """Maximum number of trials of a track."""
    blocked: Annotated[tuple[Text, ...], OneOrMore()] = ()
    """Factors whose values are shown in separate blocks: the tracks of one value, or of one combination of
    values, run to their end before others begin. The factor of the level cannot be blocked."""
    block_order: BlockOrder = "random"
    """Order of the blocks, as in the schedule ``constant``."""

    adaptive = True

    @property
    @override
    def blocked_factors(self) -> tuple[str, ...]:
        return self.blocked

    @override
    def check(self, design: Design) -> None:
        level = require_level(design)
        self._check_blocks(design, level)
        if len(level.values) < 2:
            raise StimgenError("an adaptive schedule needs at least two levels")
        if self.harder is None and level.harder is None:
            raise StimgenError(
                "schedule.harder is missing: only you know whether lower or higher numbers of your "
                "conditions are harder",
                hint="write harder: lower, or harder: higher",
            )
        check_gap(self.source_gap, len(design.sources), self.trials * len(self.all_tracks(design)))

    def _check_blocks(self, design: Design, level: LevelScale) -> None:
        allowed = [factor.name for factor in design.factors if factor.name != level.factor]
        for name in self.blocked:
            if name == level.factor:
                raise StimgenError(
                    f"schedule.blocked: {name!r} cannot be blocked, because tracks move along it",
                    hint=f"block other factors, such as {allowed[0]!r}"
                    if allowed
                    else "leave out schedule.blocked",
                )
            if name not in allowed:
                raise StimgenError(
                    f"schedule.blocked: there is no factor {name!r}", given=name, allowed=allowed
                )
        if self.blocked and self.block_order in BLOCK_ORDERS and design.participant.number is None:
            raise StimgenError(
                f"block_order: {self.block_order} needs a number at the end of the participant's label, but "
                f"{design.participant.label!r} has none",
                hint="use labels such as 01, 02, ...",
            )

    @override
    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        return deal_candidates(design, self.trials * len(self.all_tracks(design)), self.source_gap)

    @override
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        chosen = self._choose_track(design, history)
        if chosen is None:
            return None
        block, track = chosen
        candidate = self.list_decisions(design)[len(history)]
        level = require_level(design)
        value = level.values[self.choose_level(design, track, select_track(history, track))]
        levels = {**track.others, level.factor: value}
        ordered = {factor.name: levels[factor.name] for factor in design.factors}
        return replace(candidate, block=block, levels=ordered, track=track.name)

    @override
    def find_block(self, design: Design, levels: Mapping[str, Scalar]) -> int:
        blocks = self._order_blocks(design)
        return next(i for i, block in enumerate(blocks, 1) if block.items() <= levels.items())

    def _order_blocks(self, design: Design) -> list[dict[str, Scalar]]:
        """Return the values of the blocked factors, block by block; one block if there are none."""
        return order_blocks(design, self.blocked, self.block_order)

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

    def _choose_track(self, design: Design, history: Sequence[TrialResult]) -> tuple[int, Track] | None:
        """Return the number of the block and the next track; None if all tracks are finished."""
        tracks = self.all_tracks(design)
        for number, block in enumerate(self._order_blocks(design), 1):
            among = [track for track in tracks if block.items() <= track.others.items()]
            track = self._take_turns(design, among, history, number)
            if track is not None:
                return number, track
        return None

    def _take_turns(
        self, design: Design, tracks: Sequence[Track], history: Sequence[TrialResult], block: int
    ) -> Track | None:
        """Return the next track: in every round, each unfinished track has one trial, in random order."""
        done = {track.name: select_track(history, track) for track in tracks}
        unfinished = [
            track
            for track in tracks
            if len(done[track.name]) < self.trials and not self.is_finished(design, track, done[track.name])
        ]
        if not unfinished:
            return None
        turn = min(len(done[track.name]) for track in unfinished)
        key = ("round", turn) if block == 1 else ("round", turn, block)
        stream = RandomStream(*design.participant_key, *key)
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
