"""Chooses trials of adaptive schedules before their level is known."""

from __future__ import annotations

from functools import lru_cache

from stimgen.experiment.design.decisions import Design, TrialDecision, combine_factors
from stimgen.experiment.design.schedules.counterbalance import FIRST_EXEMPLARS
from stimgen.experiment.design.schedules.order import draw_spaced_order
from stimgen.reading.random_numbers import RandomStream


@lru_cache(maxsize=64)
def deal_candidates(design: Design, count: int, gap: int) -> tuple[TrialDecision, ...]:
    """Return candidates for `count` trials, with sources and balanced factors equally often.

    In every round, each source comes once with each combination of the balanced factors; a round that is cut
    off at the end is as even as possible. At least `gap` trials lie between two of the same source.
    """
    combinations = combine_factors(design.balanced)
    own = (*design.key, design.person.participant, design.person.session, "candidates")
    exemplars = {
        source: RandomStream(*own, "exemplars", source).randbelow(FIRST_EXEMPLARS)
        for source in design.sources
    }
    found: list[TrialDecision] = []
    while len(found) < count:
        lap = len(found) // (len(combinations) * len(design.sources))
        pairs = [(source, values) for source in design.sources for values in combinations]
        before = [candidate.source for candidate in found[-gap:]] if gap else []
        order = draw_spaced_order([source for source, _ in pairs], gap, before, RandomStream(*own, lap))
        for i in order:
            source, values = pairs[i]
            found.append(TrialDecision(1, {}, source, values, exemplars[source]))
            exemplars[source] += 1
    return tuple(found[:count])
