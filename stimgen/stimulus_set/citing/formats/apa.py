"""Citations in the style of the American Psychological Association."""

from __future__ import annotations

from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.references import References, format_authors
from stimgen.stimulus_set.citing.wording import format_sentence


def render(citation: Citation) -> str:
    """Return the set's entry of a list of references, and the entries of the papers behind it."""
    return "\n".join([format_set_entry(citation), *References(citation.papers).lines()]) + "\n"


def format_set_entry(citation: Citation) -> str:
    """Return the set's own entry."""
    version = f" (Version {citation.version})" if citation.version else ""
    title = f"{citation.title}{version} [Data set]"
    authors = format_authors([author.name for author in citation.authors])
    # Without authors, the title moves to their place.
    parts = [f"{authors} ({citation.year}).", f"{title}."] if authors else [f"{title}. ({citation.year})."]
    if citation.incomplete:
        parts.append(format_sentence(citation.incomplete))
    parts.append(f"https://doi.org/{citation.metadata.doi}" if citation.metadata.doi else "")
    return " ".join(part for part in parts if part)
