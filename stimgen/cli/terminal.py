"""What commands print."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

# A user's mistake ends with the error's own exit code, 2.
PROBLEM_FOUND, INTERRUPTED, TERMINATED = 1, 130, 143


class TerminationSignal(KeyboardInterrupt):
    """Somebody asked this process to end, as a cluster does before it takes the computer away."""


@contextmanager
def catch_termination() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: what is finished is kept, and what is derived from it is written."""

    def end(*_: object) -> None:
        raise TerminationSignal

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def find_exit_code(stop: KeyboardInterrupt) -> int:
    """Return the exit code of what was stopped, as shells have it: 128 and the number of the signal."""
    return TERMINATED if isinstance(stop, TerminationSignal) else INTERRUPTED


def print_text(text: str, *, error: bool = False) -> None:
    """Print a text."""
    typer.echo(text, err=error)


def print_json(value: Any) -> None:
    """Print JSON, in ASCII, so that it is right in whatever encoding a pipe or a file has."""
    typer.echo(json.dumps(value, indent=1))
