"""Prints how to cite a set."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.citing import Citation, list_citation_formats, read_citation, render_citation
from stimgen.stimulus_set.store import Store


def cite_set(folder: Path, name: str | None = None) -> tuple[str, list[str]]:
    """Return the citation of a set in one format, or in all under headings, and notes on what it lacks.

    Raises
    ------
    StimgenError
        The folder contains no set, the set is damaged, or the format does not exist.
    """
    if name is not None and name not in list_citation_formats():
        raise StimgenError(
            f"there is no citation format {name!r}", given=name, allowed=list_citation_formats()
        )
    store = Store.open(folder)
    citation = read_citation(store)
    if name is not None:
        text = render_citation(citation, name)
    else:
        text = "\n".join(f"== {each}\n{render_citation(citation, each)}" for each in list_citation_formats())
    return text, _find_gaps(citation)


def _find_gaps(citation: Citation) -> list[str]:
    found = [f"the set is {citation.incomplete}"] if citation.incomplete else []
    if not citation.metadata.authors:
        found.append("the set names no authors: add `authors` to the protocol and generate again")
    if not citation.metadata.choices:
        found.append(
            "the set was made by a version that did not list the papers behind its methods; generate it "
            "again to list them, which makes no stimulus anew"
        )
    return found
