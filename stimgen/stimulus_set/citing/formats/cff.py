"""Renders CITATION.cff, in the Citation File Format 1.2, which repositories read."""

from __future__ import annotations

import re
from typing import Any

import yaml

from stimgen.reading.licences import licence_url, spdx_identifier
from stimgen.reading.names import PersonName
from stimgen.reading.papers import Paper
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.wording import format_count
from stimgen.stimulus_set.metadata import Author

# The format allows SPDX's list of 2021; these licences for data are in it.
CFF_LICENCES = re.compile(
    r"CC0-1\.0|CC-BY(-NC)?(-SA|-ND)?-([1-4]\.0|2\.5)|ODbL-1\.0|ODC-By-1\.0|PDDL-1\.0"
    r"|MIT|Apache-2\.0|BSD-[23]-Clause|GPL-[23]\.0-(only|or-later)"
)
DOI = re.compile(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+")
KINDS = {"article": "article", "inproceedings": "conference-paper", "preprint": "generic"}


def render(citation: Citation) -> str:
    """Return the text of the file."""
    metadata, summary = citation.metadata, citation.summary
    digest = {
        "type": "other",
        "value": f"sha256:{summary.content_hash}",
        "description": "SHA-256 over the pictures of all stimuli; docs/citing.md of stimgen defines it.",
    }
    content = {
        "cff-version": "1.2.0",
        "message": "If you use these stimuli, please cite them as below, and the papers behind them.",
        "type": "dataset",
        "title": citation.title,
        "abstract": _abstract(citation),
        "authors": [_author(author) for author in citation.metadata.authors] or [{"name": "anonymous"}],
        "version": citation.version,
        "date-released": citation.date,
        "doi": metadata.doi if _is_doi(metadata.doi) else None,
        "url": None if _is_doi(metadata.doi) else citation.url,
        **_licence(metadata.licence),
        "identifiers": [digest],
        "references": [_reference(paper) for paper in citation.papers],
    }
    return yaml.safe_dump(_drop_empty(content), sort_keys=False, allow_unicode=True, width=110)


def _drop_empty(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value}


def _is_doi(text: str | None) -> bool:
    return text is not None and DOI.fullmatch(text) is not None


def _abstract(citation: Citation) -> str:
    summary, metadata = citation.summary, citation.metadata
    counts = [
        format_count(summary.stimuli, "stimulus", "stimuli"),
        format_count(len(summary.conditions), "condition"),
        format_count(len(summary.sources), "picture"),
    ]
    parts = ["{} of {} from {}, made with stimgen.".format(*counts), to_one_line(metadata.notes or "")]
    if metadata.licence and spdx_identifier(metadata.licence) is None:
        parts.append(f"Licence: {to_one_line(metadata.licence)}")
    parts += [f"The set is {citation.incomplete}." if citation.incomplete else ""]
    return " ".join(part for part in parts if part)


def _licence(licence: str | None) -> dict[str, str]:
    identifier, address = spdx_identifier(licence), licence_url(licence)
    if identifier and CFF_LICENCES.fullmatch(identifier):
        return {"license": identifier}
    return {"license-url": address} if address else {}


def _author(author: Author) -> dict[str, str]:
    found = _name(author.name)
    if author.orcid:
        found["orcid"] = f"https://orcid.org/{author.orcid}"
    if author.affiliation and "family-names" in found:  # the format has none for groups
        found["affiliation"] = to_one_line(author.affiliation)
    return found


def _name(text: str) -> dict[str, str]:
    name = PersonName.parse(text)
    return {"family-names": name.family, "given-names": name.given} if name.given else {"name": name.family}


def _reference(paper: Paper) -> dict[str, Any]:
    venue = to_one_line(paper.venue or "")
    first, _, last = (paper.pages or "").partition("-")
    return _drop_empty(
        {
            "type": KINDS[paper.kind],
            "authors": [_name(author) for author in paper.authors],
            "title": to_one_line(paper.title),
            "year": paper.year,
            "journal": venue if paper.kind == "article" else None,
            "collection-title": venue if paper.kind != "article" else None,
            "volume": paper.volume,
            "issue": paper.number,
            "start": first,
            "end": last,
            "doi": paper.doi if _is_doi(paper.doi) else None,
            "url": None if _is_doi(paper.doi) else paper.link,
        }
    )
