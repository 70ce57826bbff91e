"""Lists triplets and quadruples of items, such as sources, in which every item occurs equally often."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

SEPARATOR = "+"
"""Stands between items; no label contains it."""
LARGEST_LIST = 20_000
ROWS = 512
"""Number of subsets that are drawn at once."""

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
    drawn = _draw_subsets(len(items), size, few, key)
    if number != few:
        left_out = set(drawn)
        drawn = tuple(one for one in combinations(range(len(items)), size) if one not in left_out)
    return tuple(tuple(items[i] for i in chosen) for chosen in drawn)


@lru_cache(maxsize=64)
def _draw_subsets(
    items: int, size: int, number: int, key: tuple[str | int, ...]
) -> tuple[tuple[int, ...], ...]:
    """Return different subsets of items, which are numbered from 0, each item equally often."""
    stream = RandomStream(*key, "subsets")
    found: dict[tuple[int, ...], None] = {}
    while len(found) < number:
        rows = np.array(stream.uniforms(items * ROWS)).reshape(ROWS, items)
        chosen = np.sort(np.argsort(rows, axis=1, kind="stable")[:, :size], axis=1)
        for row in chosen[: number - len(found)].tolist():
            found[tuple(row)] = None
    return tuple(sorted(_even_out(list(found), items, stream)))


def _even_out(drawn: list[tuple[int, ...]], items: int, stream: RandomStream) -> set[tuple[int, ...]]:
    """Replace the most frequent item by the rarest, in one subset after the other, until all are even.

    There always is a subset that can be changed: more of them have the first item without the second than the
    other way round, so that not all of their counterparts are there already.
    """
    found, order = set(drawn), stream.permutation(drawn)
    counts = Counter(dict.fromkeys(range(items), 0))
    counts.update(item for subset in drawn for item in subset)
    while True:
        (most, high), (least, low) = counts.most_common()[0], counts.most_common()[-1]
        if high - low <= 1:
            return found
        for i, subset in enumerate(order):
            changed = tuple(sorted({*subset, least} - {most}))
            if most in subset and least not in subset and changed not in found:
                found.remove(subset)
                found.add(changed)
                order[i] = changed
                counts[most] -= 1
                counts[least] += 1
                break
