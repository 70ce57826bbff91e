"""Defines errors that a user can fix: what was wrong, where, what is allowed and the nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Location:
    """Represents a place in a file that the user wrote."""

    file: Path
    line: int | None = None
    """Line, counted from one; None for the whole file."""

    def __str__(self) -> str:
        """Return ``file:line``, which editors and terminals turn into a link."""
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class StimgenError(Exception):
    """Reports a problem that the user can fix; it is shown without a traceback.

    Parameters
    ----------
    message : str
        What was wrong.
    where : Location or Path or None
        Where to look.
    given : str or None
        The word that was not understood; the message suggests the nearest of `allowed`.
    allowed : iterable of str
        The words that would have been understood.
    hint : str or None
        What to do.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        where: Location | Path | None = None,
        given: str | None = None,
        allowed: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = Location(where) if isinstance(where, Path) else where
        self.given = given
        self.allowed = tuple(allowed)
        self.hint = hint

    def __str__(self) -> str:
        """Return the whole message, which fits on one screen."""
        place = f"{self.where}: " if self.where else ""
        lines = [make_printable(place, limit=1000) + make_printable(self.message)]
        if self.allowed:
            more = f", ... ({len(self.allowed)} in all)" if len(self.allowed) > 60 else ""
            lines.append("  allowed: " + make_printable(", ".join(self.allowed[:60]) + more, limit=2000))
        near = find_nearest(self.given, self.allowed)
        if near is not None:
            lines.append(f"  did you mean {near!r}?")
        if self.hint:
            lines.append("  " + make_printable(self.hint))
        return "\n".join(lines)

    def add_prefix(self, subject: str) -> StimgenError:
        """Put `subject` and a colon before the message, and return the error."""
        self.message = f"{subject}: {self.message}"
        return self

    def add_location(self, where: Location | Path) -> StimgenError:
        """Give the error a location, unless it has one already, and return it."""
        if self.where is None:
            self.where = Location(where) if isinstance(where, Path) else where
        return self


class CombinedError(StimgenError):
    """Shows several errors, at least one, that were found at once."""

    most_lines = 15

    def __init__(self, errors: list[StimgenError]) -> None:
        super().__init__(errors[0].message, where=errors[0].where)
        self.errors = errors

    def __str__(self) -> str:
        """Return as many messages as fit on one screen, without repeating equal lists of allowed words."""
        lines: list[str] = []
        for i, error in enumerate(self.errors):
            more = [line for line in str(error).split("\n") if line not in lines or "allowed: " not in line]
            if i > 0 and len(lines) + len(more) > self.most_lines:
                return "\n".join([*lines, f"... and {len(self.errors) - i} more"])
            lines += more
        return "\n".join(lines)


def raise_together(errors: Iterable[StimgenError]) -> None:
    """Raise the errors that were found, each once; do nothing if there are none."""
    unique = list({str(error): error for error in errors}.values())
    if unique:
        raise unique[0] if len(unique) == 1 else CombinedError(unique)


def find_nearest(given: str | None, allowed: Iterable[str]) -> str | None:
    """Return the word of `allowed` that is most similar to `given`, or None if none is similar.

    Examples
    --------
    >>> find_nearest("relu11", ["relu1_1", "pool1"])
    'relu1_1'
    >>> find_nearest("zebra", ["relu1_1", "pool1"]) is None
    True
    """
    if given is None:
        return None
    matches = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.5)
    return matches[0] if matches else None


def make_printable(text: str, limit: int = 600) -> str:
    """Return `text` with control characters except line feeds escaped, cut to `limit` characters."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in cut)
