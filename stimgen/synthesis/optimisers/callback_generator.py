"""Turns a function that calls back into a generator."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")


class _ClosedError(BaseException):
    """Tells the function that the generator was closed; no library catches it on its way through."""


def callback_to_generator(function: Callable[[Callable[[Q], A]], R]) -> Generator[Q, A, R]:
    """Run `function` as a generator: it yields what the callback is called with, and is sent its answers.

    The function is called with the callback, in a thread of its own, but never runs at the same time as its
    caller. However the generator ends, the thread has ended too.
    """
    questions: SimpleQueue[tuple[Q] | None] = SimpleQueue()
    answers: SimpleQueue[A | None] = SimpleQueue()
    result: Future[R] = Future()
    closed = Event()

    def ask(question: Q) -> A:
        questions.put((question,))
        answer = answers.get()
        if closed.is_set() or answer is None:
            answers.put(None)  # in case the function asks again nevertheless
            raise _ClosedError
        return answer

    def work() -> None:
        try:
            result.set_result(function(ask))
        except BaseException as error:  # all of them: they belong to the caller, who waits
            result.set_exception(error)
        questions.put(None)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while (asked := questions.get()) is not None:
            answers.put((yield asked[0]))
    finally:
        closed.set()
        answers.put(None)
        thread.join()
    return result.result()
