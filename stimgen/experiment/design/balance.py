"""Counts how evenly the trials of several participants are spread over sources, cells and combinations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from stimgen.experiment.design.decisions import Design, Scalar, TrialDecision, combine_factors

Frozen = tuple[tuple[str, Scalar], ...]


@dataclass
class BalanceCount:
    """Counts how often each of several things comes that should come equally often."""

    what: str
    """What is counted, such as ``sources in cells``."""
    every: Sequence[Hashable]
    """All things that should come; what stands there twice should come twice as often."""
    find: Callable[[Sequence[TrialDecision], str], Iterable[Hashable]]
    """Function that lists the things in a participant's trials, with the participant's keys."""
    found: Counter[Hashable] = field(default_factory=Counter)

    @property
    def range(self) -> tuple[int, int]:
        """Return how often the rarest and the most frequent thing came, of what should come once in turn."""
        frequencies = [self.found[thing] / weight for thing, weight in Counter(self.every).items()]
        return math.floor(min(frequencies)), math.ceil(max(frequencies))

    @property
    def exact(self) -> bool:
        """Return whether all came equally often."""
        least, most = self.range
        return least == most


class BalanceTally:
    """Counts the trials of participants, one participant after the other.

    `design` is that of any of the participants, `blocked` names the factors that have separate blocks, and
    `assignments` holds the possible assignments of keys, as text.
    """

    def __init__(self, design: Design, blocked: Sequence[str], assignments: Sequence[str] = ()) -> None:
        self._design = design
        self.counts = list(_list_counts(design, blocked, assignments))

    def add(self, trials: Sequence[TrialDecision], keys: str = "") -> None:
        """Count the trials of one more participant, who has the `keys`."""
        for count in self.counts:
            count.found.update(count.find(trials, keys))

    @property
    def exact(self) -> bool:
        """Return whether everything came equally often."""
        return all(count.exact for count in self.counts)


def _list_counts(
    design: Design, blocked: Sequence[str], assignments: Sequence[str]
) -> Iterator[BalanceCount]:
    """Yield the things to count, each still without trials."""
    cells, sources = [_freeze(levels) for levels in combine_factors(design.factors)], design.sources
    pairs = list(product(sources, cells))
    yield BalanceCount("sources", sources, lambda trials, _: (trial.source for trial in trials))
    yield BalanceCount("cells", cells, lambda trials, _: (_freeze(trial.levels) for trial in trials))
    yield BalanceCount("sources in cells", pairs, lambda trials, _: map(_find_pair, trials))
    dealt = [_freeze(values) for values in combine_factors(design.balanced)]
    if len(dealt) > 1:
        names = " x ".join(factor.name for factor in design.balanced if len(factor.values) > 1)
        yield BalanceCount(
            f"{names} in cells",
            list(product(cells, dealt)),
            lambda trials, _: ((_freeze(trial.levels), _freeze(trial.balanced)) for trial in trials),
        )
        yield BalanceCount(
            f"{names} with sources in cells",
            list(product(pairs, dealt)),
            lambda trials, _: ((_find_pair(trial), _freeze(trial.balanced)) for trial in trials),
        )
    values = [_freeze(levels) for levels in combine_factors(f for f in design.factors if f.name in blocked)]
    if len(values) > 1:
        yield BalanceCount(
            f"first block ({' x '.join(blocked)})",
            values,
            lambda trials, _: [_freeze({name: trials[0].levels[name] for name in dict(values[0])})],
        )
    if len(assignments) > 1:
        yield BalanceCount("assignments of keys", assignments, lambda _, keys: [keys])
        yield BalanceCount(
            "assignments of keys with sources in cells",
            list(product(assignments, pairs)),
            lambda trials, keys: ((keys, _find_pair(trial)) for trial in trials),
        )


def count_sources(design: Design, trials: Iterable[TrialDecision]) -> dict[str, Any]:
    """Return the numbers of trials of every source in every cell, as JSON values.

    ``cells`` holds the cells' names, which are the factors' values joined by commas; ``counts`` holds for
    every source its trials in each of them.
    """
    cells = [_freeze(levels) for levels in combine_factors(design.factors)]
    counted = Counter(map(_find_pair, trials))
    return {
        "cells": [", ".join(str(value) for _, value in cell) for cell in cells],
        "counts": {source: [counted[source, cell] for cell in cells] for source in design.sources},
    }


def _find_pair(trial: TrialDecision) -> tuple[str, Frozen]:
    return trial.source, _freeze(trial.levels)


def _freeze(values: Mapping[str, Scalar]) -> Frozen:
    return tuple(values.items())
