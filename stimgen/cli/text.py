"""Formats numbers of bytes and aligned columns."""

from __future__ import annotations

from collections.abc import Sequence


def format_bytes(count: float) -> str:
    """Return a number of bytes with three digits and a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def format_columns(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Return rows of cells as lines with aligned columns.

    Examples
    --------
    >>> format_columns([("a", "1"), ("bcd", "2")])
    ['a    1', 'bcd  2']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return [f"{indent}{'  '.join(row)}".rstrip() for row in cells]


def format_sections(sections: dict[str, dict[str, str]]) -> str:
    """Return headed lists of names, each with its description in a second column."""
    lines = []
    for heading, entries in sections.items():
        lines += [heading, *format_columns(list(entries.items()), "  ")]
    return "\n".join(lines)
