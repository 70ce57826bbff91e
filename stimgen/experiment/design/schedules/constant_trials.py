"""Lists the trials of constant stimuli: which blocks, which trials in each, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import gcd

from stimgen.experiment.design.decisions import Design, Scalar, TrialDecision, combine_factors
from stimgen.experiment.design.schedules.counterbalance import (
    FIRST_EXEMPLARS,
    assign_order,
    latin_square,
    williams_orders,
)
from stimgen.experiment.design.schedules.order import draw_spaced_order
from stimgen.experiment.design.schedules.rotation import SourceRotation
from stimgen.reading.random_numbers import RandomStream

BLOCK_ORDERS: Mapping[str, Callable[[int], list[list[int]]]] = {
    "latin": latin_square,
    "williams": williams_orders,
}
"""Functions from the number of blocks to the orders that participants take in turn."""

Levels = dict[str, Scalar]


def order_blocks(design: Design, blocked: Sequence[str], order: str) -> list[Levels]:
    """Return the values of the blocked factors, one block for each, in this participant's order."""
    trials = ConstantTrials(design, 1, 1, blocked, rotated=(), block_order=order, block_list=(), source_gap=0)
    return trials.order_blocks()


@dataclass(frozen=True)
class ConstantTrials:
    """Lists the trials of a participant; `repetitions` is divisible by `rounds`."""

    design: Design
    repetitions: int
    """How often a source is shown in each of its cells."""
    rounds: int
    """How often every combination of the blocked factors has a block."""
    blocked: Sequence[str]
    rotated: Sequence[str]
    block_order: str
    block_list: Sequence[Scalar]
    source_gap: int

    @property
    def at_once(self) -> int:
        """Return how often a source is shown in each of its cells in one block."""
        return self.repetitions // self.rounds

    @cached_property
    def rotation(self) -> SourceRotation:
        """Return in which cells the participant sees each source."""
        return SourceRotation.of(self.design, self.rotated)

    def list_decisions(self) -> tuple[TrialDecision, ...]:
        """Return all trials in order."""
        found: list[TrialDecision] = []
        rounds = Counter[tuple[Scalar, ...]]()
        for number, block in enumerate(self.order_blocks(), 1):
            values = tuple(block.values())
            trials = list(self._list_block(block, number, rounds[values]))
            rounds[values] += 1
            before = [trial.source for trial in found[-self.source_gap :]] if self.source_gap else []
            stream = RandomStream(*self.design.participant_key, "order", number)
            order = draw_spaced_order([trial.source for trial in trials], self.source_gap, before, stream)
            found += [trials[i] for i in order]
        return tuple(found)

    def order_blocks(self) -> list[Levels]:
        """Return the values of the blocked factors, block by block, in this participant's order."""
        blocks = combine_factors(factor for factor in self.design.factors if factor.name in self.blocked)
        if self.block_list:
            by_value = {str(value): block for block in blocks for value in block.values()}
            return [by_value[str(value)] for value in self.block_list]
        return [block for number in range(self.rounds) for block in self._order_round(blocks, number)]

    def _order_round(self, blocks: list[Levels], number: int) -> list[Levels]:
        """Return the blocks in the order of a round, counted from 0; the next round has the next order."""
        if self.block_order == "random":
            key = ("blocks", number) if number else ("blocks",)
            return RandomStream(*self.design.participant_key, *key).permutation(blocks)
        if self.block_order == "fixed":
            return blocks
        orders = BLOCK_ORDERS[self.block_order](len(blocks))
        place = assign_order(self.rotation.turn, len(orders)) + number
        return [blocks[i] for i in orders[place % len(orders)]]

    def _list_block(self, block: Levels, number: int, lap: int) -> Iterator[TrialDecision]:
        """Yield the trials of a block, not yet in order; `lap` counts the blocks with its values from 0."""
        for cell, levels in enumerate(self._cells):
            if block.items() <= levels.items():
                yield from self._list_cell(cell, number, lap)

    def _list_cell(self, cell: int, block: int, lap: int) -> Iterator[TrialDecision]:
        """Yield the trials of a cell in a block: its sources, with combinations dealt in turn.

        Dealing continues from source to source and from cell to cell, so that in any run of trials no
        combination comes twice before all came once. All participants have the same deal, but each
        participant of a round begins at another combination. So every trial meets every combination once in
        the round.
        """
        sources, dealt, turn = self._cell_sources[cell], self._dealt, self.rotation.turn
        place, past = assign_order(turn, len(dealt)), (turn - 1) // len(dealt)
        first = place + self._cell_starts[cell] + self._shift_deal(len(sources) * self.at_once, lap)
        for i in range(len(sources) * self.at_once):
            source, again = sources[i // self.at_once], lap * self.at_once + i % self.at_once
            # The next participant continues with the next exemplars; each round of participants begins with
            # others, so that over the rounds every combination meets every exemplar.
            exemplar = RandomStream(*self._shared, "exemplars", source, cell).randbelow(FIRST_EXEMPLARS)
            exemplar += (place + past) * self.repetitions + again
            combination = dealt[(first + i) % len(dealt)]
            yield TrialDecision(block, self._cells[cell], source, combination, exemplar)

    def _shift_deal(self, trials: int, lap: int) -> int:
        """Return by how many combinations a later block of a cell with so many trials continues the deal.

        Blocks continue where the last one ended, until all combinations came equally often. Then the deal
        moves on by one source, or every source would meet the same combinations again.
        """
        whole = len(self._dealt) // gcd(trials, len(self._dealt))
        return lap * trials + lap // whole * self.at_once

    @property
    def _shared(self) -> tuple[str | int, ...]:
        return *self.design.key, self.design.participant.session

    @cached_property
    def _cells(self) -> list[Levels]:
        return combine_factors(self.design.factors)

    @cached_property
    def _dealt(self) -> list[Levels]:
        return RandomStream(*self._shared, "deal").permutation(combine_factors(self.design.balanced))

    @cached_property
    def _cell_sources(self) -> list[list[str]]:
        """Return the sources of every cell in the order of the deal."""
        orders = (
            RandomStream(*self._shared, "sources", cell).permutation(self.design.sources)
            for cell in range(len(self._cells))
        )
        return [
            [source for source in order if self.rotation.is_shown(source, levels)]
            for order, levels in zip(orders, self._cells, strict=True)
        ]

    @cached_property
    def _cell_starts(self) -> list[int]:
        """Return where the deal of every cell begins, in its first block."""
        trials = (len(sources) * self.at_once for sources in self._cell_sources)
        return [0, *accumulate(trials)]
