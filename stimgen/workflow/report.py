"""A set as one page."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.report import MAX_STIMULI, write_page
from stimgen.stimulus_set.store import Store


def write_report(folder: Path, output: Path | None = None, most: int = MAX_STIMULI) -> tuple[Path, int]:
    """Write the page of a set.

    Parameters
    ----------
    folder : Path
        The set's.
    output : Path, optional
        The file to write; by default beside the set, named after it.
    most : int
        Stimuli to be shown at the most.

    Returns
    -------
    Path
        The page.
    int
        Its size in bytes.

    Raises
    ------
    StimgenError
        There is no set in the folder, nothing is finished, a file is not what its record says, or the page
        cannot be written or would lie inside the set.
    """
    store, inside = Store.open(folder), folder.resolve()
    page = inside.with_name(f"{inside.name}_report.html") if output is None else output
    if page.resolve().is_relative_to(inside):
        raise StimgenError(
            "would lie inside the set, whose files are all accounted for",
            where=page,
            hint="name a file elsewhere; without -o it is written beside the set",
        )
    with write_atomically(page) as stream:
        write_page(store, stream, most)
    return page, page.stat().st_size
