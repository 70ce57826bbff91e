"""What adaptive schedules share: a level to move along, and tracks that take turns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import Design, LevelScale, Scalar, TrialDecision, TrialResult
from stimgen.experiment.design.schedules.base import LevelDimension, Schedule
from stimgen.experiment.design.schedules.candidates import deal_candidates
from stimgen.experiment.design.schedules.order import check_gap
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import RandomStream


@dataclass(frozen=True)
class Track:
    """One of several courses of levels that are interleaved.

    Attributes
    ----------
    name : str
        What the journal calls it.
    number : int
        From 0, among those with the same other factors.
    others : dict
        Values of the factors that it does not move along.
    """

    name: str
    number: int
    others: Mapping[str, Scalar]


class AdaptiveSchedule(Schedule):
    """A schedule that finds the next level from the answers; for each combination of other factors anew."""

    level: LevelDimension
    """The number that it moves along; ``condition`` needs `values`."""
    harder: Literal["lower", "higher"] = "lower"
    """Whether lower or higher numbers are harder to tell apart."""
    tracks: Annotated[Integer, Field(ge=1, le=20)] = 1
    """Interleaved tracks, for every combination of the other factors."""
    trials: Annotated[Integer, Field(ge=1, le=2000)] = 40
    """Of a track at the most."""

    adaptive = True

    def check(self, design: Design) -> None:
        """Refuse fewer than two levels, and too few sources to keep apart."""
        if len(require_level(design).values) < 2:
            raise StimgenError("an adaptive schedule needs two levels at the least")
        check_gap(self.source_gap, len(design.sources), self.trials * len(self.all_tracks(design)))

    def choices(self, design: Design) -> tuple[TrialDecision, ...]:
        """Return as many candidates as trials may come; which track and level each has, answers decide."""
        return deal_candidates(design, self.trials * len(self.all_tracks(design)), self.source_gap)

    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        """Return the next candidate, at the level of the track whose turn it is."""
        track = self._turn(design, history)
        if track is None:
            return None
        candidate = self.choices(design)[len(history)]
        level = require_level(design)
        value = level.values[self.index(design, track, _select_track(history, track))]
        levels = {**track.others, level.factor: value}
        ordered = {factor.name: levels[factor.name] for factor in design.factors}
        return TrialDecision(1, ordered, candidate.source, candidate.balanced, candidate.exemplar, track.name)

    @abstractmethod
    def index(self, design: Design, track: Track, own: Sequence[TrialResult]) -> int:
        """Return the index of a track's next level."""

    @abstractmethod
    def ended(self, design: Design, track: Track, own: Sequence[TrialResult]) -> bool:
        """Return whether a track is over before it had all its trials."""

    def all_tracks(self, design: Design) -> list[Track]:
        """Return all tracks."""
        others = [factor for factor in design.factors if factor.name != require_level(design).factor]
        found = []
        for values in product(*(factor.values for factor in others)):
            given = {factor.name: value for factor, value in zip(others, values, strict=True)}
            for i in range(self.tracks):
                name = ", ".join([str(i + 1), *(f"{key} {value}" for key, value in given.items())])
                found.append(Track(name, i, given))
        return found

    def _turn(self, design: Design, history: Sequence[TrialResult]) -> Track | None:
        """Return the track whose turn it is: in every round each that goes on has one, in random order."""
        tracks = self.all_tracks(design)
        done = {track.name: _select_track(history, track) for track in tracks}
        going = [
            track
            for track in tracks
            if len(done[track.name]) < self.trials and not self.ended(design, track, done[track.name])
        ]
        if not going:
            return None
        turn = min(len(done[track.name]) for track in going)
        stream = RandomStream(*design.key, design.person.participant, design.person.session, "round", turn)
        order = stream.permutation([track.name for track in tracks])
        behind = [track for track in going if len(done[track.name]) == turn]
        return min(behind, key=lambda track: order.index(track.name))


def require_level(design: Design) -> LevelScale:
    """Return the level that a design has for an adaptive schedule.

    Raises
    ------
    StimgenError
        It has none.
    """
    if design.level is None:
        raise StimgenError("an adaptive schedule needs a level to move along")
    return design.level


def _select_track(history: Sequence[TrialResult], track: Track) -> list[TrialResult]:
    return [past for past in history if past.track == track.name]
