"""Runs generators that yield their progress and return a result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

YieldedT = TypeVar("YieldedT")
MappedT = TypeVar("MappedT")
ResultT = TypeVar("ResultT")


def map_generator(
    steps: Generator[YieldedT, None, ResultT], function: Callable[[YieldedT], MappedT]
) -> Generator[MappedT, None, ResultT]:
    """Yield `function` of everything that `steps` yields, and return what `steps` returns.

    Closing this generator closes `steps`.

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
                result: ResultT = end.value
                return result
            yield function(step)


def run_generator(
    steps: Generator[YieldedT, None, ResultT], callback: Callable[[YieldedT], object] | None = None
) -> ResultT:
    """Run a generator to its end, call `callback` with everything that it yields, and return its result."""
    mapped = map_generator(steps, callback or (lambda _: None))
    while True:
        try:
            next(mapped)
        except StopIteration as end:
            result: ResultT = end.value
            return result
