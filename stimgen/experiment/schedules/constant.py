"""The method of constant stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.choice import Choice, Design, Factor, Past, Scalar
from stimgen.experiment.schedules.base import Schedule
from stimgen.experiment.schedules.order import largest_gap, spread
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Text
from stimgen.reading.random_numbers import Stream

Values = tuple[Scalar, ...]


class Constant(Schedule):
    """Constant stimuli: every source in every combination of the factors, equally often."""

    name: Literal["constant"] = "constant"
    repetitions: Annotated[Integer, Field(ge=1, le=1000)] = 1
    """How often every source comes in every cell of the design."""
    blocked: tuple[Text, ...] = ()
    """Factors whose values have blocks of their own; the others are mixed."""
    block_order: Literal["random", "fixed", "latin"] = "random"
    """Order of the blocks: drawn for every participant, as the values are listed, or rotated by the
    participant's number, so that over as many participants as blocks every block takes every place once."""
    balance: Literal["within", "across"] = "within"
    """Whether what is balanced (an oddball's place, say) occurs equally often for every participant, in every
    cell; or as nearly as possible, and exactly over as many consecutive participants as there are
    combinations."""

    def check(self, design: Design) -> None:
        """Refuse unknown factors, what cannot be balanced, and sources that cannot be kept apart."""
        names = [factor.name for factor in design.factors]
        for name in self.blocked:
            if name not in names:
                raise StimgenError(f"there is no factor {name!r} to be blocked", given=name, allowed=names)
        needs_number = self.balance == "across" or (self.blocked and self.block_order == "latin")
        if needs_number and design.person.number is None:
            raise StimgenError(
                f"counterbalancing across participants needs a number at the end of the label, which "
                f"{design.person.participant!r} has not",
                hint="name participants 01, 02, ...",
            )
        self._check_balance(design)
        self._check_gap(design)

    def _check_balance(self, design: Design) -> None:
        combinations = len(_combinations(design.balanced))
        trials = len(design.sources) * self.repetitions
        if self.balance == "within" and trials % combinations:
            would = [n for n in range(1, combinations + 1) if len(design.sources) * n % combinations == 0]
            what = " x ".join(f"{factor.name} ({len(factor.values)})" for factor in design.balanced)
            raise StimgenError(
                f"{len(design.sources)} sources x {self.repetitions} repetitions are {trials} trials "
                f"in every cell, which cannot be balanced over the {combinations} combinations of {what}",
                hint=f"a multiple of {would[0]} repetitions would do, or balance: across",
            )

    def _check_gap(self, design: Design) -> None:
        trials = self.repetitions * len(_combinations(_mixed(self, design)))
        possible = largest_gap([trials] * len(design.sources))
        if self.source_gap > possible:
            raise StimgenError(
                f"{len(design.sources)} sources that come {trials} times each in a block cannot be kept "
                f"{self.source_gap} trials apart",
                hint=f"the largest source_gap that can be kept is {possible}",
            )

    def choices(self, design: Design) -> tuple[Choice, ...]:
        """Return all trials in order."""
        return _choices(self, design)

    def next(self, design: Design, history: Sequence[Past]) -> Choice | None:
        """Return the next of the list."""
        every = _choices(self, design)
        return every[len(history)] if len(history) < len(every) else None


def _combinations(factors: Sequence[Factor]) -> list[Values]:
    return list(product(*(factor.values for factor in factors)))


def _mixed(schedule: Constant, design: Design) -> list[Factor]:
    return [factor for factor in design.factors if factor.name not in schedule.blocked]


@lru_cache(maxsize=64)
def _choices(schedule: Constant, design: Design) -> tuple[Choice, ...]:
    found: list[Choice] = []
    for number, block in enumerate(_blocks(schedule, design), 1):
        trials = _block(schedule, design, block, number)
        before = [choice.source for choice in found[-schedule.source_gap :]] if schedule.source_gap else []
        stream = _own(design, "order", number)
        order = spread([choice.source for choice in trials], schedule.source_gap, before, stream)
        found += [trials[i] for i in order]
    return tuple(found)


def _blocks(schedule: Constant, design: Design) -> list[dict[str, Scalar]]:
    """Return the values of the blocked factors, block by block, in this participant's order."""
    factors = [factor for factor in design.factors if factor.name in schedule.blocked]
    names = [factor.name for factor in factors]
    blocks = [dict(zip(names, values, strict=True)) for values in _combinations(factors)]
    if schedule.block_order == "random":
        return _own(design, "blocks").shuffled(blocks)
    turn = (design.person.number or 0) % len(blocks) if schedule.block_order == "latin" else 0
    return blocks[turn:] + blocks[:turn]


def _block(schedule: Constant, design: Design, block: dict[str, Scalar], number: int) -> list[Choice]:
    """Return the trials of a block, not yet in order."""
    mixed = _mixed(schedule, design)
    found = []
    for values in _combinations(mixed):
        given = {**block, **dict(zip((factor.name for factor in mixed), values, strict=True))}
        levels = {factor.name: given[factor.name] for factor in design.factors}
        found += _cell(schedule, design, levels, number)
    return found


def _cell(schedule: Constant, design: Design, levels: dict[str, Scalar], block: int) -> list[Choice]:
    """Return the trials of a cell: every source so many times, combinations dealt out in equal numbers."""
    cell = [f"{name}={value}" for name, value in levels.items()]
    sources = [source for source in design.sources for _ in range(schedule.repetitions)]
    combinations = _combinations(design.balanced)
    number = design.person.number or 0
    # One permutation for a group of participants, as many as there are combinations, and each of them begins
    # at another place: so every trial meets every combination once in the group.
    group = Stream(*design.key, "group", number // len(combinations), *cell)
    dealt = group.shuffled(combinations)
    slots = group.shuffled(range(len(sources)))
    names = [factor.name for factor in design.balanced]
    exemplars = {source: _own(design, "exemplars", source, *cell) for source in design.sources}
    turns = {
        source: iter(stream.shuffled(range(schedule.repetitions))) for source, stream in exemplars.items()
    }
    return [
        Choice(
            block,
            levels,
            source,
            dict(zip(names, dealt[(slot + number) % len(dealt)], strict=True)),
            next(turns[source]),
        )
        for source, slot in zip(sources, slots, strict=True)
    ]


def _own(design: Design, *purpose: str | int) -> Stream:
    """Return a stream of the participant's and session's own."""
    return Stream(*design.key, design.person.participant, design.person.session, *purpose)
