"""Gives participants different orders, by their numbers."""

from __future__ import annotations

FIRST_EXEMPLARS = 5040
"""Divisible by 1 to 10, so that with up to 10 seeds a source begins with each of them equally likely."""


def assign_order(number: int, count: int) -> int:
    """Return which of `count` orders, from 0, the participant with a number from 1 on has.

    Participants 1 to `count` have each order once, and so have the next `count`. If `count` is even, every
    such round begins one order later. Otherwise odd and even participants, whose keys may differ
    (``responses.swap``), would never have the same orders.

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
    """Return a cyclic Latin square: each row is an order, and every item is once at every position.

    Which item precedes which is not balanced: in all rows but one, 1 comes directly after 0.

    Examples
    --------
    >>> latin_square(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    return [[(first + i) % count for i in range(count)] for first in range(count)]


def williams_orders(count: int) -> list[list[int]]:
    """Return orders in which, in addition, every item comes directly after every other equally often.

    They are one Latin square if `count` is even, and two if it is odd (Williams 1949).

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
