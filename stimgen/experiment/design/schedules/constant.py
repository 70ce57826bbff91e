"""Defines the method of constant stimuli."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, TrialDecision, TrialResult, combine_factors
from stimgen.experiment.design.schedules.base import Schedule
from stimgen.experiment.design.schedules.constant_trials import BLOCK_ORDERS, ConstantTrials
from stimgen.experiment.design.schedules.order import check_gap
from stimgen.experiment.design.schedules.rotation import SourceRotation, check_rotation, list_cell_sizes
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, OneOrMore, Text

BlockOrder = Literal["random", "fixed", "latin", "williams"]


class Constant(Schedule):
    """Shows every source equally often in every combination of the factors: constant stimuli."""

    name: Literal["constant"] = "constant"
    repetitions: Annotated[Integer, Field(ge=1, le=1000)] = 1
    """How often every source is shown in every cell of the design."""
    rotated: Annotated[tuple[Text, ...], OneOrMore()] = ()
    """Factors whose values are rotated over the sources: a participant sees each source with one value, or
    one combination of values, of these factors. Over as many participants as combinations (1 to n, n + 1 to
    2n, and so on), every source is shown with each: a Latin square."""
    blocks: Annotated[Integer, Field(ge=1, le=1000)] = 1
    """Number of equal blocks; with `blocked` factors, of each of their values. Every block has all cells, and
    all sources of a cell, equally often, so that `repetitions` must be a multiple of it."""
    blocked: Annotated[tuple[Text, ...], OneOrMore()] = ()
    """Factors whose values are shown in separate blocks; all others are mixed."""
    block_order: BlockOrder = "random"
    """Order of the blocks. ``random``: drawn for every participant. ``fixed``: as listed. ``latin``: rotated
    by the participant's number, so that over as many participants as blocks every block is once at every
    position. ``williams``: in addition, every block directly follows every other equally often (Williams
    1949), over as many participants as blocks if their number is even, and twice as many if it is odd."""
    block_list: tuple[Text | Number | Integer, ...] = ()
    """The order of the blocks as values of the one blocked factor, instead of `block_order`; each value as
    often as `blocks` says, such as ``[a, b, b, a]`` with ``blocks: 2``."""
    balance: Literal["within", "across"] = "within"
    """``within``: balanced factors, such as the odd picture's place, occur equally often for every
    participant in every cell. ``across``: they do so as nearly as possible, and exactly over as many
    participants as there are combinations: 1 to n, n + 1 to 2n, and so on. With `rotated` factors, that is
    over as many participants as these have combinations, times n."""

    @property
    @override
    def blocked_factors(self) -> tuple[str, ...]:
        return self.blocked

    @override
    def check(self, design: Design) -> None:
        _check_names("blocked", self.blocked, design)
        _check_names("rotated", self.rotated, design)
        self._check_number(design)
        check_rotation(design, self.rotated)
        self._check_blocks(design)
        self._check_balance(design)
        self._check_gap(design)

    def _check_number(self, design: Design) -> None:
        ordered = self.blocked and self.block_order in BLOCK_ORDERS and not self.block_list
        if (self.balance == "across" or self.rotated or ordered) and design.participant.number is None:
            raise StimgenError(
                "counterbalancing across participants needs a number at the end of the participant's label, "
                f"but {design.participant.label!r} has none",
                hint="use labels such as 01, 02, ...",
            )

    def _check_blocks(self, design: Design) -> None:
        if self.repetitions % self.blocks:
            raise StimgenError(
                f"schedule.blocks: {self.repetitions} repetitions cannot be dealt out to {self.blocks} equal "
                "blocks",
                hint=f"use a multiple of {self.blocks} repetitions",
            )
        if not self.block_list:
            return
        if len(self.blocked) != 1:
            raise StimgenError(
                "schedule.block_list lists the values of one blocked factor, but schedule.blocked names "
                f"{', '.join(self.blocked) or 'none'}"
            )
        (values,) = (factor.values for factor in design.factors if factor.name == self.blocked[0])
        wanted, listed = Counter(map(str, values)), Counter(map(str, self.block_list))
        for value in {**listed, **wanted}:
            if value not in wanted:
                raise StimgenError(
                    f"schedule.block_list: {self.blocked[0]} has no value {value!r}",
                    given=value,
                    allowed=list(wanted),
                )
            if listed[value] != self.blocks:
                raise StimgenError(
                    f"schedule.block_list has {value!r} {listed[value]} times, and schedule.blocks is "
                    f"{self.blocks}",
                    hint=f"list each of {', '.join(wanted)} as often as schedule.blocks says",
                )

    def _check_balance(self, design: Design) -> None:
        combinations = len(combine_factors(design.balanced))
        if self.balance == "across":
            return
        sizes = list_cell_sizes(design, self.rotated)
        for sources in sizes:
            trials = sources * self.repetitions
            if trials % combinations:
                possible = next(
                    n for n in range(1, combinations + 1) if not any(one * n % combinations for one in sizes)
                )
                factors = " x ".join(f"{factor.name} ({len(factor.values)})" for factor in design.balanced)
                has = "every cell has" if len(sizes) == 1 else "some cells have"
                raise StimgenError(
                    f"{has} {trials} trials ({sources} sources x {self.repetitions} repetitions), which "
                    f"cannot be balanced over the {combinations} combinations of {factors}",
                    hint=f"use a multiple of {possible} repetitions, or balance: across",
                )

    def _check_gap(self, design: Design) -> None:
        others = len(combine_factors(f for f in design.factors if f.name not in self.rotated))
        trials = len(design.sources) * self.repetitions * others
        if trials == len(design.sources):  # every source comes once
            return
        # In separate blocks of a rotated factor, only the sources of its value are shown.
        apart = [name for name in self.blocked if name in self.rotated]
        rotation = SourceRotation.of(design, self.rotated)
        cells = map(rotation.find_cell, design.sources)
        of_block = Counter(tuple(cell[name] for name in apart) for cell in cells)
        check_gap(self.source_gap, min(of_block.values()), trials)

    @override
    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        return _list_decisions(self, design)

    @override
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        decisions = _list_decisions(self, design)
        return decisions[len(history)] if len(history) < len(decisions) else None

    def plan_trials(self, design: Design) -> ConstantTrials:
        """Return what lists the trials of a participant."""
        return ConstantTrials(
            design=design,
            repetitions=self.repetitions,
            rounds=self.blocks,
            blocked=self.blocked,
            rotated=self.rotated,
            block_order=self.block_order,
            block_list=self.block_list,
            source_gap=self.source_gap,
        )


@lru_cache(maxsize=64)
def _list_decisions(schedule: Constant, design: Design) -> tuple[TrialDecision, ...]:
    return schedule.plan_trials(design).list_decisions()


def _check_names(key: str, names: Sequence[str], design: Design) -> None:
    known = [factor.name for factor in design.factors]
    for name in names:
        if name not in known:
            raise StimgenError(f"schedule.{key}: there is no factor {name!r}", given=name, allowed=known)
