"""Chooses the trials of practice."""

from __future__ import annotations

from dataclasses import replace

from stimgen.experiment.design.decisions import Design, TrialDecision, combine_factors
from stimgen.experiment.design.schedules.order import draw_spaced_order
from stimgen.reading.random_numbers import RandomStream


def draw_practice_trials(design: Design, count: int, gap: int, which: tuple[int, int]) -> list[TrialDecision]:
    """Return `count` of the trials that the design allows; none comes twice before each came once.

    A repeated practice continues with other trials. `gap` trials lie between two of the same source, or as
    many as the number of sources permits. `which` is the block that is practised for, and the attempt, from
    0.
    """
    block, attempt = which
    stream = RandomStream(
        *design.key, "practice", design.participant.label, design.participant.session, block
    )
    pool = [
        TrialDecision(block, levels, source, balanced)
        for levels in combine_factors(design.factors)
        for source in design.sources
        for balanced in combine_factors(design.balanced)
    ]
    sources = [decision.source for decision in pool]
    gap = min(gap, len(design.sources) - 1)
    drawn: list[TrialDecision] = []
    while len(drawn) < (attempt + 1) * count:
        order = draw_spaced_order(sources, gap, [decision.source for decision in drawn], stream)
        drawn += [replace(pool[i], exemplar=len(drawn) // len(pool)) for i in order]
    return drawn[attempt * count : (attempt + 1) * count]
