"""Decides where catch trials lie between the main trials, and what each of them shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stimgen.experiment.design.decisions import Design, Factor, TrialDecision, combine_factors
from stimgen.reading.random_numbers import RandomStream


@dataclass(frozen=True)
class CatchSeries:
    """Holds one kind of catch trials of a session; all of it is drawn from streams of its own."""

    name: str
    every: int
    """Number of main trials from one to the next, on average."""
    shift: int
    """Largest shift of each from its regular place, less than half of `every`."""
    design: Design
    """What the catch trials may show."""

    def find_place(self, number: int) -> int:
        """Return after how many main trials the catch trial of this number comes, counting from 1."""
        drawn = RandomStream(*self._key, "place", number).randbelow(2 * self.shift + 1)
        return number * self.every + drawn - self.shift

    def count_due(self, main: int) -> int:
        """Return how many catch trials come before the main trial after `main` others."""
        whole = main // self.every
        return sum(self.find_place(number) <= main for number in (whole, whole + 1) if number) + max(
            0, whole - 1
        )

    def decide(self, number: int, block: int) -> TrialDecision:
        """Return the catch trial of this number, from 1: all trials of the design, in a random order.

        None comes twice before each came once; then they are drawn in another order, and show the next
        exemplars.
        """
        pool = [
            (levels, source, balanced)
            for levels in combine_factors(self.design.factors)
            for source in self.design.sources
            for balanced in combine_factors(self.design.balanced)
        ]
        lap, position = divmod(number - 1, len(pool))
        levels, source, balanced = RandomStream(*self._key, "order", lap).permutation(pool)[position]
        return TrialDecision(block, levels, source, balanced, exemplar=lap)

    @property
    def _key(self) -> tuple[str | int, ...]:
        return (*self.design.participant_key, "catch", self.name)


def replace_stimuli(
    design: Design, conditions: tuple[str, ...], sources: tuple[str, ...], durations: tuple[str, ...]
) -> Design:
    """Return a design with other conditions, sources or durations; empty ones stay as they are.

    Durations become a factor, also if there is only one, because every trial records its factors.
    """
    factors = [
        replace(factor, values=conditions) if factor.name == "condition" and conditions else factor
        for factor in design.factors
        if factor.name != "duration" or not durations
    ]
    if durations:
        factors.insert(1, Factor("duration", durations))
    return replace(design, factors=tuple(factors), sources=sources or design.sources)
