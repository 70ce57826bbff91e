"""Defines the method of constant stimuli."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, Scalar, TrialDecision, TrialResult, combine_factors
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

BLOCK_ORDERS: Mapping[str, Callable[[int], list[list[int]]]] = {
    "latin": latin_square,
    "williams": williams_orders,
}
"""Functions from the number of blocks to the orders that participants take in turn."""


class Constant(Schedule):
    """Shows every source equally often in every combination of the factors: constant stimuli."""

    name: Literal["constant"] = "constant"
    repetitions: Annotated[Integer, Field(ge=1, le=1000)] = 1
    """How often every source is shown in every cell of the design."""
    blocked: Annotated[tuple[Text, ...], OneOrMore()] = ()
    """Factors whose values are shown in separate blocks; all others are mixed."""
    block_order: Literal["random", "fixed", "latin", "williams"] = "random"
    """Order of the blocks. ``random``: drawn for every participant. ``fixed``: as listed. ``latin``: rotated
    by the participant's number, so that over as many participants as blocks every block is once at every
    position. ``williams``: in addition, every block directly follows every other equally often (Williams
    1949), over as many participants as blocks if their number is even, and twice as many if it is odd."""
    balance: Literal["within", "across"] = "within"
    """``within``: balanced factors, such as the odd picture's place, occur equally often for every
    participant in every cell. ``across``: they do so as nearly as possible, and exactly over as many
    participants as there are combinations: 1 to n, n + 1 to 2n, and so on."""

    @property
    @override
    def blocked_factors(self) -> tuple[str, ...]:
        return self.blocked

    @override
    def check(self, design: Design) -> None:
        names = [factor.name for factor in design.factors]
        for name in self.blocked:
            if name not in names:
                raise StimgenError(
                    f"schedule.blocked: there is no factor {name!r}", given=name, allowed=names
                )
        needs_number = self.balance == "across" or (self.blocked and self.block_order in BLOCK_ORDERS)
        if needs_number and design.participant.number is None:
            raise StimgenError(
                "counterbalancing across participants needs a number at the end of the participant's label, "
                f"but {design.participant.label!r} has none",
                hint="use labels such as 01, 02, ...",
            )
        self._check_balance(design)
        trials = len(design.sources) * self.repetitions * len(combine_factors(design.factors))
        check_gap(self.source_gap, len(design.sources), trials)

    def _check_balance(self, design: Design) -> None:
        sources, combinations = len(design.sources), len(combine_factors(design.balanced))
        trials = sources * self.repetitions
        if self.balance == "within" and trials % combinations:
            possible = next(n for n in range(1, combinations + 1) if sources * n % combinations == 0)
            factors = " x ".join(f"{factor.name} ({len(factor.values)})" for factor in design.balanced)
            raise StimgenError(
                f"every cell has {trials} trials ({sources} sources x {self.repetitions} repetitions), which "
                f"cannot be balanced over the {combinations} combinations of {factors}",
                hint=f"use a multiple of {possible} repetitions, or balance: across",
            )

    @override
    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        return _list_decisions(self, design)

    @override
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        decisions = _list_decisions(self, design)
        return decisions[len(history)] if len(history) < len(decisions) else None


@lru_cache(maxsize=64)
def _list_decisions(schedule: Constant, design: Design) -> tuple[TrialDecision, ...]:
    found: list[TrialDecision] = []
    for number, block in enumerate(_order_blocks(schedule, design), 1):
        trials = _list_block(schedule, design, block, number)
        before = [trial.source for trial in found[-schedule.source_gap :]] if schedule.source_gap else []
        stream = RandomStream(*design.participant_key, "order", number)
        order = draw_spaced_order([trial.source for trial in trials], schedule.source_gap, before, stream)
        found += [trials[i] for i in order]
    return tuple(found)


def _order_blocks(schedule: Constant, design: Design) -> list[dict[str, Scalar]]:
    """Return the values of the blocked factors, block by block, in this participant's order."""
    blocks = combine_factors(factor for factor in design.factors if factor.name in schedule.blocked)
    if schedule.block_order == "random":
        return RandomStream(*design.participant_key, "blocks").permutation(blocks)
    if schedule.block_order == "fixed":
        return blocks
    orders = BLOCK_ORDERS[schedule.block_order](len(blocks))
    return [blocks[i] for i in orders[assign_order(_participant_number(design), len(orders))]]


def _list_block(
    schedule: Constant, design: Design, block: dict[str, Scalar], number: int
) -> list[TrialDecision]:
    """Return the trials of a block, not yet in order."""
    found = []
    for cell, levels in enumerate(combine_factors(design.factors)):
        if block.items() <= levels.items():
            found += _list_cell(schedule, design, levels, cell)
    return [replace(decision, block=number) for decision in found]


def _list_cell(
    schedule: Constant, design: Design, levels: dict[str, Scalar], cell: int
) -> list[TrialDecision]:
    """Return the trials of a cell: every source `repetitions` times, with combinations dealt in turn.

    Dealing continues from source to source and from cell to cell, so that in any run of trials no combination
    comes twice before all came once. All participants have the same deal, but each participant of a round
    begins at another combination. So every trial meets every combination once in the round.
    """
    combinations, number = combine_factors(design.balanced), _participant_number(design)
    place, lap = assign_order(number, len(combinations)), (number - 1) // len(combinations)
    shared = (*design.key, design.participant.session)
    dealt = RandomStream(*shared, "deal").permutation(combinations)
    sources = RandomStream(*shared, "sources", cell).permutation(design.sources)
    first = cell * len(sources) * schedule.repetitions + place
    found = []
    for i, (source, again) in enumerate(product(sources, range(schedule.repetitions))):
        # The next participant continues with the next exemplars; each round of participants begins with
        # others, so that over the rounds every combination meets every exemplar.
        exemplar = RandomStream(*shared, "exemplars", source, cell).randbelow(FIRST_EXEMPLARS)
        exemplar += (place + lap) * schedule.repetitions + again
        found.append(TrialDecision(1, levels, source, dealt[(first + i) % len(dealt)], exemplar))
    return found


def _participant_number(design: Design) -> int:
    """Return the participant's number; a random one if the label has none."""
    if design.participant.number is not None:
        return design.participant.number
    return RandomStream(*design.participant_key, "number").randbelow(FIRST_EXEMPLARS) + 1
