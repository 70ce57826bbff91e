"""Defines one-back: a stream of pictures in which some are repeated at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.duration import Duration, ms
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Paradigm,
    Perception,
    PicturePlace,
    PictureSlot,
)
from stimgen.experiment.design.paradigms.item_subsets import join_items, list_subsets, split_items
from stimgen.experiment.design.streams import (
    NO_POSITION,
    REPEAT,
    REPEATED_FACTOR,
    attribute_presses,
    format_positions,
    parse_positions,
)
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, validation_error
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.yes_no import predict_yes_no


class OneBack(Paradigm):
    """Asks to press a key whenever a picture of a stream is the same as the one before."""

    name: Literal["one_back"] = "one_back"
    length: Annotated[Integer, Field(ge=3, le=200)] = 12
    """Number of pictures in the stream of a trial, repetitions included."""
    repeats: Annotated[Integer, Field(ge=1, le=50)] = 2
    """Number of pictures of a stream that are repeated at once; all others come once."""
    show: Literal["synthesis", "original"] = "synthesis"
    """What is shown of the sources."""
    streams: Annotated[Integer, Field(ge=1, le=1000)] | None = None
    """Number of different streams of sources; the default is the number of sources, with which every source
    is equally often at each position."""
    hit_window: Duration = ms(1000)
    """How long after the onset of a repetition a press counts as a hit."""
    place: PicturePlace = CENTRE
    """Place of the pictures."""
    criterion: Number = 0.0
    """For a simulated observer: as in yes-no, the distance of the criterion from the midpoint between new and
    repeated pictures; a positive value means fewer presses."""

    pairings = frozenset({"original-synthesis"})
    is_stream = True

    @model_validator(mode="after")
    def _check_repeats(self) -> OneBack:
        if 2 * self.repeats > self.length:
            raise validation_error(
                f"{self.repeats} pictures and their repetitions do not fit into a stream of {self.length}",
                at="repeats",
            )
        return self

    @property
    def different(self) -> int:
        """Return the number of different pictures of a stream."""
        return self.length - self.repeats

    @override
    def default_keys(self) -> dict[str, str]:
        return {REPEAT: "space"}

    @override
    def guesses(self) -> tuple[str, ...]:
        return (NO_POSITION,)

    @override
    def list_sources(self, sources: Sequence[str], key: tuple[str | int, ...]) -> tuple[str, ...]:
        if len(sources) < self.different:
            raise StimgenError(
                f"a stream shows {self.different} different sources, but there are only {len(sources)}",
                hint=f"use more sources, or write paradigm.length: {len(sources) + self.repeats}",
            )
        number = self.streams or len(sources)
        laps = range(-(-number // len(sources)))
        orders = [RandomStream(*key, "streams", lap).permutation(sources) for lap in laps]
        rotated = (order[i:] + order[:i] for order in orders for i in range(len(order)))
        found = dict.fromkeys(join_items(order[: self.different]) for order in rotated)
        return tuple(found)[:number]

    @override
    def picture_factors(self, conditions: Sequence[str], key: tuple[str | int, ...]) -> tuple[Factor, ...]:
        # Originals are the same in all conditions.
        return super().picture_factors(conditions[:1] if self.show == "original" else conditions, key)

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        numbers = [str(i) for i in range(1, self.different + 1)]
        # As many lists as it takes to repeat every picture of the stream once.
        lists = -(-self.different // self.repeats)
        key = ("one_back", self.different, self.repeats)
        subsets = list_subsets(numbers, self.repeats, lists, key, "paradigm.repeats")
        return (Factor(REPEATED_FACTOR, tuple(map(join_items, subsets))),)

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        del pairing
        repeated = {int(number) for number in split_items(str(decision.balanced[REPEATED_FACTOR]))}
        role: Role = ORIGINAL if self.show == "original" else SYNTHESIS
        slots: list[PictureSlot] = []
        positions = []
        for number, source in enumerate(split_items(decision.source), 1):
            slots.append(PictureSlot(role, self.place, source=source))
            if number in repeated:
                slots.append(slots[-1])
                positions.append(len(slots))
        return Arrangement(tuple((slot,) for slot in slots), format_positions(positions))

    @override
    def read_presses(self, trial: Trial, seconds: Sequence[float], refresh_hz: float) -> str:
        window = self.hit_window.milliseconds(refresh_hz) / 1000
        return format_positions(attribute_presses(trial, seconds, refresh_hz, window))

    @override
    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the positions at which the evidence of a repetition exceeds the criterion, as in yes-no."""
        repetitions = parse_positions(trial.correct)
        found = []
        for position in range(2, self.length + 1):
            value = stream.normal() + (perceived.dprime if position in repetitions else 0.0)
            if value > self.criterion + perceived.mean_dprime / 2:
                found.append(position)
        return format_positions(found)

    @override
    def proportion_correct(self, dprime: float) -> float:
        """Return the probability that a whole stream has all hits and no false alarm."""
        return self.proportion_correct_among(Perception.constant(dprime))

    @override
    def proportion_correct_among(self, perceived: Perception) -> float:
        shift = (perceived.dprime - perceived.mean_dprime) / 2
        hits, _ = predict_yes_no(perceived.dprime, self.criterion - shift)
        _, alarms = predict_yes_no(perceived.mean_dprime, self.criterion)
        return float(hits**self.repeats * (1 - alarms) ** (self.length - 1 - self.repeats))

    @override
    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the positions at which features hardly differ from those before.

        Features are standardised, so that those of unrelated pictures have a mean squared difference of 2.
        """
        del trial, stream
        steps = np.square(np.diff(np.asarray(features), axis=0)).mean(1)
        return format_positions([int(i) + 2 for i in np.flatnonzero(steps < 0.5)])
