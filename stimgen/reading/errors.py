"""Errors that a user can mend: what was wrong, where, what is allowed and the nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Location:
    """A place in a file that the user wrote.

    Attributes
    ----------
    file : Path
        The file.
    line : int or None
        Line, counted from one; None where the whole file is meant.
    """

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return ``file:line``, as editors and terminals link it."""
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class StimgenError(Exception):
    """A mistake or a circumstance that the user can mend; shown without a traceback.

    Parameters
    ----------
    message : str
        What was wrong.
    where : Location or Path or None
        The place to look at.
    given : str or None
        The word that was not understood, for which the nearest of `allowed` is named.
    allowed : iterable of str
        What would have been understood.
    hint : str or None
        What to do about it.
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
        """Return the whole message, one screen at the most."""
        place = f"{self.where}: " if self.where else ""
        lines = [make_printable(place, limit=1000) + make_printable(self.message)]
        if self.allowed:
            lines.append("  allowed: " + make_printable(_join_words(self.allowed), limit=2000))
        near = find_nearest(self.given, self.allowed)
        if near is not None:
            lines.append(f"  did you mean {near!r}?")
        if self.hint:
            lines.append("  " + make_printable(self.hint))
        return "\n".join(lines)

    def add_prefix(self, what: str) -> StimgenError:
        """Return the same error, whose message begins with what it is about."""
        self.message = f"{what}: {self.message}"
        return self

    def add_location(self, where: Location | Path) -> StimgenError:
        """Return the same error with a place, unless it has one already."""
        if self.where is None:
            self.where = Location(where) if isinstance(where, Path) else where
        return self


class CombinedError(StimgenError):
    """Several errors found in one reading, shown together.

    Parameters
    ----------
    errors : sequence of StimgenError
        At least one.
    """

    most_lines = 15

    def __init__(self, errors: list[StimgenError]) -> None:
        super().__init__(errors[0].message, where=errors[0].where)
        self.errors = errors

    def __str__(self) -> str:
        """Return one message after the other, as many as one screen holds; equal lists of choices once."""
        lines: list[str] = []
        for i, error in enumerate(self.errors):
            more = [line for line in str(error).split("\n") if line not in lines or "allowed: " not in line]
            if i > 0 and len(lines) + len(more) > self.most_lines:
                return "\n".join([*lines, f"... and {len(self.errors) - i} more"])
            lines += more
        return "\n".join(lines)


def find_nearest(given: str | None, allowed: Iterable[str]) -> str | None:
    """Return the member of `allowed` that `given` was most likely meant to be, or None.

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
    """Return `text` with control characters escaped and cut to `limit`, safe for any terminal.

    Line feeds are kept.
    """
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in cut)


def _join_words(words: tuple[str, ...], limit: int = 60) -> str:
    more = f", ... ({len(words)} in all)" if len(words) > limit else ""
    return ", ".join(words[:limit]) + more
