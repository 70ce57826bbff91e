"""Citations in the style of the American Psychological Association."""

from __future__ import annotations

from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.references import References, authors_text
from stimgen.stimulus_set.citing.wording import sentence


def render(citation: Citation) -> str:
    """Return the set's entry of a list of references, and the entries of the papers behind it."""
    return "\n".join([entry(citation), *References(citation.papers).lines()]) + "\n"


def entry(citation: Citation) -> str:
    """Return the set's own entry."""
    version = f" (Version {citation.version})" if citation.version else ""
    title = f"{citation.title}{version} [Data set]"
    authors = authors_text([author.name for author in citation.authors])
    # Without authors, the title moves to their place.
    parts = [f"{authors} ({citation.year}).", f"{title}."] if authors else [f"{title}. ({citation.year})."]
    if citation.incomplete:
        parts.append(sentence(citation.incomplete))
    parts.append(f"https://doi.org/{citation.metadata.doi}" if citation.metadata.doi else "")
    return " ".join(part for part in parts if part)
