"""Whose turn it is: what participants, by their numbers, have in different order."""

from __future__ import annotations

FIRST_EXEMPLARS = 5040
"""A number that 1 to 10 divide: with up to 10 seeds, sources begin with each as likely."""


def assign_order(number: int, count: int) -> int:
    """Return which of `count` orders a participant has, from 0.

    Participants 1 to `count` have each of them once, and so have the next `count`. Where `count` is even,
    every such round begins one order later: otherwise odd and even participants, whose keys may differ
    (``responses.swap``), would never have the same orders.

    Parameters
    ----------
    number : int
        The participant's, from 1.
    count : int
        How many orders there are.

    Examples
    --------
    >>> [assign_order(number, 2) for number in range(1, 9)]
    [0, 1, 1, 0, 0, 1, 1, 0]
    >>> [assign_order(number, 3) for number in range(1, 7)]
    [0, 1, 2, 0, 1, 2]
    """
    lap, place = divmod(number - 1, count)
    return (place + (lap if count % 2 == 0 else 0)) % count


def latin_square(count: int) -> list[list[int]]:
    """Return a cyclic Latin square: each row is an order, in which everything takes every place once.

    What precedes what is not balanced: in all rows but one, 1 comes right after 0.

    Examples
    --------
    >>> latin_square(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    return [[(first + i) % count for i in range(count)] for first in range(count)]


def williams_orders(count: int) -> list[list[int]]:
    """Return orders in which, over all rows, everything comes right after every other equally often, too.

    A Latin square where `count` is even, two of them where it is odd (Williams 1949).

    Examples
    --------
    >>> williams_orders(4)
    [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    >>> williams_orders(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2]]
    """
    # 0, 1, n - 1, 2, n - 2, ...: neighbours differ by every number once.
    first = [0, *(i // 2 + 1 if i % 2 == 0 else count - 1 - i // 2 for i in range(count - 1))]
    rows = [[(place + row) % count for place in first] for row in range(count)]
    return rows if count % 2 == 0 else rows + [row[::-1] for row in rows]
