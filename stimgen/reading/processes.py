"""Lets several processes of this computer read the parts of something large, in order."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import TypeVar

PART = 250  # items that a process is given at a time
FEWEST = 8 * PART  # fewer are read sooner than processes are started
MOST_PROCESSES = 8  # this process, which puts everything together, keeps no more of them busy

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_parts(
    function: Callable[[Sequence[ItemT]], ResultT], items: Sequence[ItemT], processes: int | None = None
) -> Iterator[ResultT]:
    """Yield `function` of each part of `items`, in order; any number of processes yields the same.

    Few items stay in this process, and so do those of processes that end before their time, because the
    memory does not hold them, say. An error is raised where its part comes.

    Parameters
    ----------
    function : callable
        A function of a module, or a `partial` of one.
    items : sequence
        What to divide into parts.
    processes : int or None
        How many processes to use; None stands for what suits the computer.
    """
    parts = [items[i : i + PART] for i in range(0, len(items), PART)]
    count = 1 if len(items) < FEWEST else processes or count_processes()
    if count == 1:
        yield from map(function, parts)
        return
    # A server that has the imports made once is forked for each process; Windows has none.
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload([_find_module(function)])
    with ProcessPoolExecutor(min(count, MOST_PROCESSES), context, _begin_worker) as pool:
        yield from _map_in_order(function, parts, pool, 2 * count)


def count_processes() -> int:
    """Return how many processes suit this computer: its cores that this process may use.

    Starting a process imports the program that runs. A program that is not stimgen's own command might begin
    its work once more; it gets one process only.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    ours = file is None or Path(file).stem == "stimgen" or Path(file).parts[-2:] == ("stimgen", "__main__.py")
    if not ours:
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_PROCESSES)


def _find_module(function: Callable[..., object]) -> str:
    return function.func.__module__ if isinstance(function, partial) else function.__module__


def _map_in_order(
    function: Callable[[Sequence[ItemT]], ResultT],
    parts: Sequence[Sequence[ItemT]],
    pool: Executor,
    ahead: int,
) -> Iterator[ResultT]:
    """Yield results in order, and have no more than some `ahead`, because all are too large to hold."""
    waiting: deque[Callable[[], ResultT]] = deque()
    try:
        for part in parts:
            waiting.append(_submit(function, part, pool))
            if len(waiting) >= ahead:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(
    function: Callable[[Sequence[ItemT]], ResultT], part: Sequence[ItemT], pool: Executor
) -> Callable[[], ResultT]:
    """Return a function that waits for the result of a part."""
    here = partial(function, part)
    try:
        future = pool.submit(function, part)
    except (BrokenProcessPool, OSError):  # no process can be started
        return here

    def collect() -> ResultT:
        try:
            return future.result()
        except BrokenProcessPool:
            return here()

    return collect


def _begin_worker() -> None:
    """Leave Ctrl-C to the process that this one works for, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
