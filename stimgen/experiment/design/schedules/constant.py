"""The method of constant stimuli."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import Design, Factor, Scalar, TrialDecision, TrialResult
from stimgen.experiment.design.schedules.base import Schedule
from stimgen.experiment.design.schedules.counterbalance import (
    FIRST_EXEMPLARS,
    assign_order,
    latin_square,
    williams_orders,
)
from stimgen.experiment.design.schedules.order import check_gap, draw_spaced_order
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, OneOrMore, Text
from stimgen.reading.random_numbers import RandomStream

FactorValues = tuple[Scalar, ...]

BLOCK_ORDERS: Mapping[str, Callable[[int], list[list[int]]]] = {
    "latin": latin_square,
    "williams": williams_orders,
}
"""Orders of so many blocks, of which participants take turns."""


class Constant(Schedule):
    """Constant stimuli: every source in every combination of the factors, equally often."""

    name: Literal["constant"] = "constant"
    repetitions: Annotated[Integer, Field(ge=1, le=1000)] = 1
    """How often every source comes in every cell of the design."""
    blocked: Annotated[tuple[Text, ...], OneOrMore()] = ()
    """Factors whose values have blocks of their own; the others are mixed."""
    block_order: Literal["random", "fixed", "latin", "williams"] = "random"
    """Order of the blocks: drawn for every participant; as the values are listed; rotated by the
    participant's number, so that over as many participants as blocks every block takes every place once; or
    so that, too, every block comes right after every other equally often (Williams 1949), over as many
    participants as blocks where their number is even, and twice as many where it is odd."""
    balance: Literal["within", "across"] = "within"
    """Whether what is balanced (an oddball's place, say) occurs equally often for every participant, in every
    cell; or as nearly as possible, and exactly over as many participants as there are combinations: 1 to n,
    n + 1 to 2n, and so on."""

    @property
    def blocked_factors(self) -> tuple[str, ...]:
        """Names of the factors whose values have blocks of their own."""
        return self.blocked

    def check(self, design: Design) -> None:
        """Refuse unknown factors, what cannot be balanced, and sources that cannot be kept apart."""
        names = [factor.name for factor in design.factors]
        for name in self.blocked:
            if name not in names:
                raise StimgenError(f"there is no factor {name!r} to be blocked", given=name, allowed=names)
        needs_number = self.balance == "across" or (self.blocked and self.block_order in BLOCK_ORDERS)
        if needs_number and design.person.number is None:
            raise StimgenError(
                f"counterbalancing across participants needs a number at the end of the label, which "
                f"{design.person.participant!r} has not",
                hint="name participants 01, 02, ...",
            )
        self._check_balance(design)
        trials = len(design.sources) * self.repetitions * len(_combinations(design.factors))
        check_gap(self.source_gap, len(design.sources), trials)

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

    def choices(self, design: Design) -> tuple[TrialDecision, ...]:
        """Return all trials in order."""
        return _list_decisions(self, design)

    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        """Return the next of the list."""
        every = _list_decisions(self, design)
        return every[len(history)] if len(history) < len(every) else None


def _combinations(factors: Sequence[Factor]) -> list[FactorValues]:
    return list(product(*(factor.values for factor in factors)))


@lru_cache(maxsize=64)
def _list_decisions(schedule: Constant, design: Design) -> tuple[TrialDecision, ...]:
    found: list[TrialDecision] = []
    for number, block in enumerate(_order_blocks(schedule, design), 1):
        trials = _list_block(schedule, design, block, number)
        before = [choice.source for choice in found[-schedule.source_gap :]] if schedule.source_gap else []
        stream = _participant_stream(design, "order", number)
        order = draw_spaced_order([choice.source for choice in trials], schedule.source_gap, before, stream)
        found += [trials[i] for i in order]
    return tuple(found)


def _order_blocks(schedule: Constant, design: Design) -> list[dict[str, Scalar]]:
    """Return the values of the blocked factors, block by block, in this participant's order."""
    factors = [factor for factor in design.factors if factor.name in schedule.blocked]
    names = [factor.name for factor in factors]
    blocks = [dict(zip(names, values, strict=True)) for values in _combinations(factors)]
    if schedule.block_order == "random":
        return _participant_stream(design, "blocks").permutation(blocks)
    if schedule.block_order == "fixed":
        return blocks
    orders = BLOCK_ORDERS[schedule.block_order](len(blocks))
    return [blocks[i] for i in orders[assign_order(_participant_number(design), len(orders))]]


def _list_block(
    schedule: Constant, design: Design, block: dict[str, Scalar], number: int
) -> list[TrialDecision]:
    """Return the trials of a block, not yet in order."""
    names = [factor.name for factor in design.factors]
    found = []
    for cell, values in enumerate(_combinations(design.factors)):
        levels = dict(zip(names, values, strict=True))
        if block.items() <= levels.items():
            found += _list_cell(schedule, design, levels, cell)
    return [replace(choice, block=number) for choice in found]


def _list_cell(
    schedule: Constant, design: Design, levels: dict[str, Scalar], cell: int
) -> list[TrialDecision]:
    """Return the trials of a cell: every source so many times, combinations dealt out in turn.

    Combinations are dealt on from source to source and from cell to cell, so that of any that follow each
    other, none comes twice before all came once. All participants have the same deal, but each of a round
    begins at another combination: so every trial meets every combination once in the round.
    """
    combinations, number = _combinations(design.balanced), _participant_number(design)
    place, lap = assign_order(number, len(combinations)), (number - 1) // len(combinations)
    shared = (*design.key, design.person.session)
    dealt = RandomStream(*shared, "deal").permutation(combinations)
    sources = RandomStream(*shared, "sources", cell).permutation(design.sources)
    names = [factor.name for factor in design.balanced]
    first = cell * len(sources) * schedule.repetitions + place
    found = []
    for i, (source, again) in enumerate(product(sources, range(schedule.repetitions))):
        balanced = dict(zip(names, dealt[(first + i) % len(dealt)], strict=True))
        # The next participant goes on with the next exemplars; each round of them begins with others, so that
        # over the rounds every combination meets every exemplar.
        exemplar = RandomStream(*shared, "exemplars", source, cell).randbelow(FIRST_EXEMPLARS)
        exemplar += (place + lap) * schedule.repetitions + again
        found.append(TrialDecision(1, levels, source, balanced, exemplar))
    return found


def _participant_number(design: Design) -> int:
    """Return the participant's number; one drawn for a label that has none."""
    number = design.person.number
    return _participant_stream(design, "number").randbelow(FIRST_EXEMPLARS) + 1 if number is None else number


def _participant_stream(design: Design, *purpose: str | int) -> RandomStream:
    """Return a stream of the participant's and session's own."""
    return RandomStream(*design.key, design.person.participant, design.person.session, *purpose)
