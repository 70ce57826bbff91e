"""Trials of practice."""

from __future__ import annotations

from itertools import product

from stimgen.experiment.choice import Choice, Design, Factor
from stimgen.reading.random_numbers import Stream


def practice_choices(design: Design, count: int, block: int, attempt: int) -> list[Choice]:
    """Return `count` trials drawn from all that the design allows, none twice before each came once.

    Parameters
    ----------
    design : Design
        With the sources of the practice.
    count : int
        How many trials.
    block : int
        The block that is practised for.
    attempt : int
        From 0; every attempt has other trials.
    """
    stream = Stream(*design.key, "practice", design.person.participant, design.person.session, block, attempt)
    every = [
        Choice(block, levels, source, balanced)
        for levels in _combinations(design.factors)
        for source in design.sources
        for balanced in _combinations(design.balanced)
    ]
    drawn: list[Choice] = []
    while len(drawn) < count:
        drawn += stream.shuffled(every)
    return drawn[:count]


def _combinations(factors: tuple[Factor, ...]) -> list[dict[str, str | int | float | bool]]:
    names = [factor.name for factor in factors]
    return [
        dict(zip(names, values, strict=True)) for values in product(*(factor.values for factor in factors))
    ]
