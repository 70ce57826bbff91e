"""Renders citations in the style of the American Psychological Association."""

from __future__ import annotations

from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.references import References, format_authors
from stimgen.stimulus_set.citing.wording import format_sentence


def render(citation: Citation) -> str:
    """Return the entries of the set, and of the papers behind it, in a list of references."""
    return "\n".join([format_set_entry(citation), *References(citation.papers).lines()]) + "\n"


def format_set_entry(citation: Citation) -> str:
    """Return the entry of the set itself."""
    version = f" (Version {citation.version})" if citation.version else ""
    title = f"{citation.title}{version} [Data set]"
    authors = format_authors([author.name for author in citation.metadata.authors])
    # Without authors, the title moves to their place.
    parts = [f"{authors} ({citation.year}).", f"{title}."] if authors else [f"{title}. ({citation.year})."]
    if citation.incomplete:
        parts.append(format_sentence(citation.incomplete))
    return " ".join([*parts, citation.url or ""]).rstrip()
