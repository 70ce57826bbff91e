"""Trials of practice."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from stimgen.experiment.design.decisions import Design, Factor, TrialDecision
from stimgen.experiment.design.schedules.order import draw_spaced_order
from stimgen.reading.random_numbers import RandomStream


def draw_practice_trials(design: Design, count: int, gap: int, which: tuple[int, int]) -> list[TrialDecision]:
    """Return `count` trials out of all that the design allows, none twice before each came once.

    A repeated practice goes on with others. Trials of a source have the gap between them that is asked for,
    or the largest that the sources of the practice permit.

    Parameters
    ----------
    design : Design
        With the sources of the practice.
    count : int
        How many trials.
    gap : int
        Trials that should lie between two of a source.
    which : tuple of int
        The block that is practised for, and the attempt, from 0.
    """
    block, attempt = which
    stream = RandomStream(*design.key, "practice", design.person.participant, design.person.session, block)
    every = [
        TrialDecision(block, levels, source, balanced)
        for levels in _combinations(design.factors)
        for source in design.sources
        for balanced in _combinations(design.balanced)
    ]
    sources = [choice.source for choice in every]
    gap = min(gap, len(design.sources) - 1)
    drawn: list[TrialDecision] = []
    while len(drawn) < (attempt + 1) * count:
        order = draw_spaced_order(sources, gap, [choice.source for choice in drawn], stream)
        drawn += [replace(every[i], exemplar=len(drawn) // len(every)) for i in order]
    return drawn[attempt * count : (attempt + 1) * count]


def _combinations(factors: tuple[Factor, ...]) -> list[dict[str, str | int | float | bool]]:
    names = [factor.name for factor in factors]
    return [
        dict(zip(names, values, strict=True)) for values in product(*(factor.values for factor in factors))
    ]
