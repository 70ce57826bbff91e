"""Renders BibTeX for LaTeX's bibliographies: UTF-8, with every special character of TeX escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stimgen.reading.names import PersonName
from stimgen.reading.papers import Paper
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.citation import Citation

# BibTeX counts braces even after a backslash, so they need names.
ESCAPES = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    "<": r"{\textless}",
    ">": r"{\textgreater}",
    "|": r"{\textbar}",
    **{character: f"\\{character}" for character in "&%$#_"},
}
KINDS = {"article": "article", "inproceedings": "inproceedings", "preprint": "misc"}
VENUES = {"article": "journal", "inproceedings": "booktitle", "preprint": "howpublished"}


def render(citation: Citation) -> str:
    """Return the entries of the set and of the papers behind it."""
    return "\n".join([_set_entry(citation), *map(_paper_entry, citation.papers)])


def _set_entry(citation: Citation) -> str:
    metadata = citation.metadata
    sentences = [
        f"Version {citation.version}" if citation.version else None,
        f"SHA-256 of its pictures: {citation.summary.content_hash}",
        f"Licence: {to_one_line(metadata.licence)}" if metadata.licence else None,
        citation.incomplete,
    ]
    fields = {
        "author": _authors(author.name for author in citation.metadata.authors),
        "title": f"{{{escape_latex(citation.title)}}}",
        "year": citation.year,
        "howpublished": "Stimulus set",
        "note": escape_latex("; ".join(sentence for sentence in sentences if sentence)),
        "doi": metadata.doi,
    }
    key = re.sub(r"[^A-Za-z0-9.-]+", "-", metadata.name).strip("-") or "stimuli"
    return _entry("misc", key, fields)


def _paper_entry(paper: Paper) -> str:
    fields = {
        "author": _authors(paper.authors),
        "title": f"{{{escape_latex(to_one_line(paper.title))}}}",
        VENUES[paper.kind]: _optional(paper.venue),
        "year": str(paper.year),
        "volume": _optional(paper.volume),
        "number": _optional(paper.number),
        "pages": _optional(paper.pages, dash="--"),
        "doi": paper.doi,
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv" if paper.arxiv else None,
        "url": paper.url,
    }
    return _entry(KINDS[paper.kind], paper.key, fields)


def _entry(kind: str, key: str, fields: dict[str, str | None]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def escape_latex(text: str) -> str:
    r"""Return a line of text as TeX prints it.

    Examples
    --------
    >>> print(escape_latex("50 % of R&D {sic}"))
    50 \% of R\&D {\textbraceleft}sic{\textbraceright}
    """
    return "".join(ESCAPES.get(character, character) for character in text)


def _optional(text: str | None, dash: str = "-") -> str | None:
    return escape_latex(to_one_line(text)).replace("-", dash) if text else None


def _authors(authors: Iterable[str]) -> str:
    return " and ".join(_author(PersonName.parse(author)) for author in authors)


def _author(name: PersonName) -> str:
    if not name.given:
        return f"{{{escape_latex(name.family)}}}"
    return f"{_part(name.family)}, {_part(name.given)}"


def _part(text: str) -> str:
    """Return a part of a name, in braces where BibTeX would misread ``and`` or a comma."""
    own = re.search(r"\band\b|,", text, flags=re.IGNORECASE)
    return f"{{{escape_latex(text)}}}" if own else escape_latex(text)
