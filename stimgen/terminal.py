"""What commands print."""

from __future__ import annotations

import json
from typing import Any

import typer

# A user's mistake ends with the error's own exit code, 2.
FINDING, INTERRUPTED = 1, 130


def say(text: str, *, error: bool = False) -> None:
    """Print a text."""
    typer.echo(text, err=error)


def print_json(value: Any) -> None:
    """Print JSON, in ASCII, so that it is right in whatever encoding a pipe or a file has."""
    typer.echo(json.dumps(value, indent=1))
