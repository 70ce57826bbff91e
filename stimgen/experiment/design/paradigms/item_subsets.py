"""Lists triplets and quadruples of items, such as sources, in which every item occurs equally often."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, islice

from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

SEPARATOR = "+"
"""Stands between items; no label contains it."""
LARGEST_LIST = 20_000
CANDIDATES = 24
ATTEMPTS = 200

Subset = tuple[str, ...]


def join_items(items: Sequence[str]) -> str:
    """Return the items as one value of a factor.

    Examples
    --------
    >>> join_items(("brick", "coffee"))
    'brick+coffee'
    """
    return SEPARATOR.join(items)


def split_items(value: str) -> Subset:
    """Return the items of a value of a factor."""
    return tuple(value.split(SEPARATOR))


def list_subsets(
    items: Sequence[str], size: int, number: int | None, key: tuple[str | int, ...], where: str
) -> tuple[Subset, ...]:
    """Return all subsets of `size` items, or a `number` of them, each in the order of `items`.

    Every item occurs equally often, or, if that is impossible, in one subset more than others. `key` seeds
    the draw. Too few items, and more subsets than there are, raise a `StimgenError`; `where` names the key of
    the experiment that gives the number.
    """
    total = math.comb(len(items), size)
    if total == 0:
        raise StimgenError(f"{size} items are shown together, but there are only {len(items)}")
    if number is None:
        if total > LARGEST_LIST:
            raise StimgenError(
                f"{len(items)} items have {total:,} different sets of {size}",
                hint=f"give the number of those that are shown, such as {where}: {len(items) * 10}",
            )
        return tuple(combinations(items, size))
    if number > total:
        raise StimgenError(
            f"{where} is {number}, but {len(items)} items have only {total:,} different sets of {size}"
        )
    # Few are left out more easily than many are drawn; those that are left out are spread evenly, too.
    few = min(number, total - number)
    drawn = _draw_subsets(len(items), size, few, RandomStream(*key, "subsets"))
    if number != few:
        drawn = [chosen for chosen in combinations(range(len(items)), size) if chosen not in set(drawn)]
    return tuple(tuple(items[i] for i in chosen) for chosen in drawn)


def _draw_subsets(items: int, size: int, number: int, stream: RandomStream) -> list[tuple[int, ...]]:
    """Return different subsets; if a draw comes to a dead end, another begins."""
    for _ in range(ATTEMPTS):
        dealer = _SubsetDealer(items, size, stream)
        if all(dealer.deal() for _ in range(number)):
            return sorted(dealer.found)
    raise StimgenError(f"no {number} sets of {size} were found in which {items} items occur equally often")


class _SubsetDealer:
    """Deals rounds of all items, from 0, into different subsets."""

    def __init__(self, items: int, size: int, stream: RandomStream) -> None:
        self.found: set[tuple[int, ...]] = set()
        self._items, self._size, self._stream = range(items), size, stream
        self._pairs: Counter[tuple[int, ...]] = Counter()
        self._left: list[int] = []

    def deal(self) -> bool:
        """Deal one more subset; return False if all that are possible were dealt before."""
        # What is left of a round belongs to the next subset, which takes the rest from a new round.
        must = [] if len(self._left) >= self._size else self._left
        others = [i for i in self._items if i not in must] if len(self._left) < self._size else self._left
        chosen = self._choose(must, others)
        if chosen is None:
            return False
        self.found.add(chosen)
        self._pairs.update(combinations(chosen, 2))
        self._left = sorted({*must, *others} - {*chosen} | {*must})
        return True

    def _choose(self, must: list[int], others: list[int]) -> tuple[int, ...] | None:
        """Return a new subset whose pairs were together least often, among some that are drawn at random."""
        size = self._size - len(must)
        draws = (self._stream.permutation(others)[:size] for _ in range(CANDIDATES))
        drawn = (tuple(sorted([*must, *draw])) for draw in draws)
        new = [candidate for candidate in drawn if candidate not in self.found]
        if not new:
            every = (tuple(sorted([*must, *rest])) for rest in combinations(others, size))
            new = list(islice((candidate for candidate in every if candidate not in self.found), 1))
        return min(new, key=lambda chosen: sum(self._pairs[p] for p in combinations(chosen, 2)), default=None)
