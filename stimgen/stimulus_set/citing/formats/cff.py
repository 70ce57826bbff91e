"""The Citation File Format 1.2, which repositories read: the file CITATION.cff of every set."""

from __future__ import annotations

import re
from typing import Any

import yaml

from stimgen.reading.licences import licence_address, spdx
from stimgen.reading.names import Name
from stimgen.reading.papers import Paper
from stimgen.reading.text import one_line
from stimgen.stimulus_set.citing.citation import Citation
from stimgen.stimulus_set.citing.wording import counted
from stimgen.stimulus_set.metadata import Author

# The format has a list of licences, as SPDX's was in 2021; these, of those that data have, are in it.
LISTED = re.compile(
    r"CC0-1\.0|CC-BY(-NC)?(-SA|-ND)?-([1-4]\.0|2\.5)|ODbL-1\.0|ODC-By-1\.0|PDDL-1\.0"
    r"|MIT|Apache-2\.0|BSD-[23]-Clause|GPL-[23]\.0-(only|or-later)"
)
DOI = re.compile(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+")
KINDS = {"article": "article", "inproceedings": "conference-paper", "preprint": "generic"}


def render(citation: Citation) -> str:
    """Return the file."""
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
        "authors": [_author(author) for author in citation.authors] or [{"name": "anonymous"}],
        "version": citation.version,
        "date-released": citation.date,
        "doi": metadata.doi if _is_doi(metadata.doi) else None,
        "url": f"https://doi.org/{metadata.doi}" if metadata.doi and not _is_doi(metadata.doi) else None,
        **_licence(metadata.licence),
        "identifiers": [digest],
        "references": [_reference(paper) for paper in citation.papers],
    }
    return yaml.safe_dump(_given(content), sort_keys=False, allow_unicode=True, width=110)


def _given(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value}


def _is_doi(text: str | None) -> bool:
    return text is not None and DOI.fullmatch(text) is not None


def _abstract(citation: Citation) -> str:
    summary, metadata = citation.summary, citation.metadata
    counts = [
        counted(summary.stimuli, "stimulus", "stimuli"),
        counted(len(summary.conditions), "condition"),
        counted(len(summary.sources), "picture"),
    ]
    parts = ["{} of {} from {}, made with stimgen.".format(*counts), one_line(metadata.notes or "")]
    if metadata.licence and spdx(metadata.licence) is None:
        parts.append(f"Licence: {one_line(metadata.licence)}")
    parts += [f"The set is {citation.incomplete}." if citation.incomplete else ""]
    return " ".join(part for part in parts if part)


def _licence(licence: str | None) -> dict[str, str]:
    identifier, address = spdx(licence), licence_address(licence)
    if identifier and LISTED.fullmatch(identifier):
        return {"license": identifier}
    return {"license-url": address} if address else {}


def _author(author: Author) -> dict[str, str]:
    found = _name(author.name)
    if author.orcid:
        found["orcid"] = f"https://orcid.org/{author.orcid}"
    if author.affiliation and "family-names" in found:  # the format knows none of groups
        found["affiliation"] = one_line(author.affiliation)
    return found


def _name(text: str) -> dict[str, str]:
    name = Name.of(text)
    return {"family-names": name.family, "given-names": name.given} if name.given else {"name": name.family}


def _reference(paper: Paper) -> dict[str, Any]:
    venue = one_line(paper.venue or "")
    first, _, last = (paper.pages or "").partition("-")
    return _given(
        {
            "type": KINDS[paper.kind],
            "authors": [_name(author) for author in paper.authors],
            "title": one_line(paper.title),
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
