"""Citing a set."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.citing import Citation, list_citation_formats, read_citation, render_citation
from stimgen.stimulus_set.store import Store


def cite_set(folder: Path, name: str | None = None) -> tuple[str, list[str]]:
    """Return how a set is cited.

    Parameters
    ----------
    folder : Path
        The set's.
    name : str, optional
        Of a format; all where it is left out, each under a heading.

    Returns
    -------
    str
        The text.
    list of str
        What whoever cites the set should know.

    Raises
    ------
    StimgenError
        There is no set in the folder, it is damaged, or there is no such format.
    """
    if name is not None and name not in list_citation_formats():
        raise StimgenError(
            f"there is no format {name!r} of citations", given=name, allowed=list_citation_formats()
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
    if not citation.authors:
        found.append("nobody is named as its author: write `authors` into the protocol, and generate again")
    if not citation.metadata.choices:
        found.append(
            "the set is older than lists of the papers behind networks, statistics and the like: generate it "
            "again, which makes no stimulus anew, to have them cited"
        )
    return found
