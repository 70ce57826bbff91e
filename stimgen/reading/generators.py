"""Generators that yield how far they have come and return what they found."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

YieldedT = TypeVar("YieldedT")
MappedT = TypeVar("MappedT")
ResultT = TypeVar("ResultT")


def map_generator(
    steps: Generator[YieldedT, None, ResultT], tell: Callable[[YieldedT], MappedT]
) -> Generator[MappedT, None, ResultT]:
    """Yield what `tell` makes of everything that `steps` yields, and return what it returns.

    Where this is closed before its end, `steps` is closed with it.

    Examples
    --------
    >>> list(map_generator((i for i in range(3)), str))
    ['0', '1', '2']
    """
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                found: ResultT = end.value
                return found
            yield tell(step)


def run_generator(
    steps: Generator[YieldedT, None, ResultT], tell: Callable[[YieldedT], object] | None = None
) -> ResultT:
    """Return what `steps` returns, having called `tell` with everything that it yields."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found: ResultT = end.value
            return found
        if tell is not None:
            tell(step)
