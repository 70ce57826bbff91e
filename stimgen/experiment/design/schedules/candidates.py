"""Trials of adaptive schedules before their level is known."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from stimgen.experiment.design.decisions import Design, TrialDecision
from stimgen.experiment.design.schedules.counterbalance import FIRST_EXEMPLARS
from stimgen.experiment.design.schedules.order import draw_spaced_order
from stimgen.reading.random_numbers import RandomStream


@lru_cache(maxsize=64)
def deal_candidates(design: Design, count: int, gap: int) -> tuple[TrialDecision, ...]:
    """Return candidates for so many trials, in which sources and what is balanced come equally often.

    Round by round every source comes once with each combination of the balanced factors; a round that is cut
    short by the end is as even as it can be.

    Parameters
    ----------
    design : Design
        Sources, balanced factors, whom it is for.
    count : int
        How many.
    gap : int
        Trials between two of a source.
    """
    combinations = list(product(*(factor.values for factor in design.balanced)))
    names = [factor.name for factor in design.balanced]
    own = (*design.key, design.person.participant, design.person.session, "candidates")
    used = {
        source: RandomStream(*own, "exemplars", source).randbelow(FIRST_EXEMPLARS)
        for source in design.sources
    }
    found: list[TrialDecision] = []
    while len(found) < count:
        lap = len(found) // (len(combinations) * len(design.sources))
        pairs = [(source, values) for source in design.sources for values in combinations]
        before = [choice.source for choice in found[-gap:]] if gap else []
        order = draw_spaced_order([source for source, _ in pairs], gap, before, RandomStream(*own, lap))
        for i in order:
            source, values = pairs[i]
            found.append(TrialDecision(1, {}, source, dict(zip(names, values, strict=True)), used[source]))
            used[source] += 1
    return tuple(found[:count])
