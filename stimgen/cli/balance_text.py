"""Formats how evenly the trials of several participants are spread, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stimgen.cli.text import format_columns
from stimgen.stimulus_set.citing.wording import format_count

MOST_COLUMNS = 8
MOST_LABELS = 4


def format_balance(found: dict[str, Any]) -> str:
    """Return a table of sources and cells for every group, and what is balanced exactly."""
    lines = [f"{found['experiment']}, session {found['session']}: main trials by source and cell"]
    for group in found["groups"]:
        lines += ["", *_format_group(group)]
    return "\n".join(lines)


def _format_group(group: Mapping[str, Any]) -> Iterator[str]:
    labels = group["participants"]
    named = f"group {group['group']}: " if group["group"] is not None else ""
    span = ", ".join(labels if len(labels) <= MOST_LABELS else [*labels[:2], "...", labels[-1]])
    yield f"{named}{format_count(len(labels), 'participant')}, {span}"
    yield from format_columns(_tabulate_counts(group["cells"], group["counts"]), "  ")
    seen = {sum(count > 0 for count in row) for row in group["each"].values()}
    if seen != {len(group["cells"])}:
        few = " or ".join(map(str, sorted(seen)))
        yield f"each participant sees a source in {few} of {len(group['cells'])} cells"
    whom = "participants" if group["group"] is None else "participants of the group"
    yield from format_columns([_format_balance(count, whom) for count in group["balance"]])


def _tabulate_counts(cells: Sequence[str], counts: Mapping[str, Sequence[int]]) -> list[Sequence[str]]:
    """Return rows of sources and columns of cells; the other way round if there are many cells."""
    if len(cells) <= MOST_COLUMNS:
        return [("source", *cells), *((source, *map(str, row)) for source, row in counts.items())]
    rows = zip(cells, *counts.values(), strict=True)
    return [("cell", *counts), *((cell, *map(str, row)) for cell, *row in rows)]


def _format_balance(count: Mapping[str, Any], whom: str) -> tuple[str, str]:
    what = f"{count['what']}:"
    if count["exact"]:
        return what, f"exact, {count['least']} each"
    wanted = count["exact_with"]
    hint = "" if wanted is None else f"; exact with {wanted} {whom}"
    return what, f"not exact, {count['least']} to {count['most']}{hint}"
