"""A function that calls back, as a generator."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")


class _ClosedError(BaseException):
    """The generator was closed; no library catches it on its way through the function."""


@dataclass(frozen=True)
class _Asked(Generic[Q]):
    question: Q


@dataclass(frozen=True)
class _Returned(Generic[R]):
    result: R


@dataclass(frozen=True)
class _Raised:
    error: BaseException


def callback_to_generator(function: Callable[[Callable[[Q], A]], R]) -> Generator[Q, A, R]:
    """Run `function` as a generator: it yields what the callback is called with, and is sent its answers.

    The function runs in a thread of its own, but never at the same time as its caller. However the generator
    ends, the thread has ended too.

    Parameters
    ----------
    function : callable
        Is handed the callback.
    """
    told: SimpleQueue[_Asked[Q] | _Returned[R] | _Raised] = SimpleQueue()
    answers: SimpleQueue[A | None] = SimpleQueue()
    closed = Event()

    def ask(question: Q) -> A:
        told.put(_Asked(question))
        answer = answers.get()
        if closed.is_set() or answer is None:
            answers.put(None)  # for whoever asks again nevertheless
            raise _ClosedError
        return answer

    def work() -> None:
        try:
            told.put(_Returned(function(ask)))
        except BaseException as error:  # all of them: they are the caller's, who waits
            told.put(_Raised(error))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while isinstance(said := told.get(), _Asked):
            answers.put((yield said.question))
    finally:
        closed.set()
        answers.put(None)
        thread.join()
    if isinstance(said, _Raised):
        raise said.error
    return said.result
