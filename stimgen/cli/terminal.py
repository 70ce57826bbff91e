"""Prints what commands return, and defines their exit codes."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

# A user's mistake ends with the error's own exit code, 2.
PROBLEM_FOUND, INTERRUPTED, TERMINATED = 1, 130, 143


class TerminationSignal(KeyboardInterrupt):
    """Is raised when this process is asked to end, for example by a cluster's scheduler."""


@contextmanager
def catch_termination() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that finished stimuli are kept and derived files written."""

    def end(*_: object) -> None:
        raise TerminationSignal

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def find_exit_code(stop: KeyboardInterrupt) -> int:
    """Return the exit code after an interruption; like shells, 128 plus the number of the signal."""
    return TERMINATED if isinstance(stop, TerminationSignal) else INTERRUPTED


def print_text(text: str, *, error: bool = False) -> None:
    """Print a text on the standard output, or on the standard error."""
    typer.echo(text, err=error)


def print_problems(problems: Iterable[str]) -> None:
    """Print problems on the standard error, one per line."""
    for problem in problems:
        print_text(problem, error=True)


def print_json(value: Any) -> None:
    """Print JSON in ASCII, which is correct in any encoding of a pipe or a file."""
    typer.echo(json.dumps(value, indent=1))


def print_result(result: Any, format_text: Callable[[Any], str], *, as_json: bool) -> None:
    """Print a command's result: as JSON, or as the text that `format_text` makes of it."""
    if as_json:
        print_json(result.to_dict() if hasattr(result, "to_dict") else result)
    else:
        print_text(format_text(result))
