"""Writes a web page about a set."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.report import MAX_STIMULI, write_page
from stimgen.stimulus_set.store import Store


def write_report(folder: Path, output: Path | None = None, most: int = MAX_STIMULI) -> tuple[Path, int]:
    """Write a web page about a set, by default beside it; return its file and its size in bytes.

    Raises
    ------
    StimgenError
        The folder contains no set or no finished stimulus, a file differs from its record, or the page
        cannot be written or would lie inside the set.
    """
    store, inside = Store.open(folder), folder.resolve()
    page = inside.with_name(f"{inside.name}_report.html") if output is None else output
    if page.resolve().is_relative_to(inside):
        raise StimgenError(
            "would lie inside the set, which may contain only its own files",
            where=page,
            hint="choose a file elsewhere; without -o the page is written beside the set",
        )
    with write_atomically(page) as stream:
        write_page(store, stream, most)
    return page, page.stat().st_size
