"""Describes a set as an RO-Crate: every file, authors and provenance, as JSON-LD."""

from __future__ import annotations

import mimetypes
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents, SetFile
from stimgen.reading.licences import licence_url, spdx_identifier
from stimgen.reading.names import PersonName
from stimgen.reading.papers import Paper
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.metadata import Author
from stimgen.stimulus_set.store import json_bytes

DESCRIPTOR = "ro-crate-metadata.json"
VERSION = "1.3"
SPECIFICATION = f"https://w3id.org/ro/crate/{VERSION}"
SOFTWARE, MAKING = "#stimgen", "#generation"
Entity = dict[str, Any]


class RoCrate(Exporter):
    """Copies the set and adds ro-crate-metadata.json: an RO-Crate with authors, files and provenance."""

    name: Literal["ro-crate"] = "ro-crate"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        contents.copy_all(target)
        files = [_file(entry) for entry in contents.entries]
        about = {"about": {"@id": "./"}, "conformsTo": {"@id": SPECIFICATION}}
        descriptor = {"@id": DESCRIPTOR, "@type": "CreativeWork", **about}
        graph = [descriptor, *_about(contents), *files, *_describe_provenance(contents)]
        crate = {"@context": f"{SPECIFICATION}/context", "@graph": graph}
        (target / DESCRIPTOR).write_bytes(json_bytes(crate))


def _about(contents: SetContents) -> list[Entity]:
    """Return the set itself, its authors, its licence and the papers behind it."""
    citation, metadata = contents.citation, contents.citation.metadata
    people = [_author(author, i) for i, author in enumerate(citation.metadata.authors)]
    authors = [entities[0] for entities in people]
    papers = [_paper(paper) for paper in citation.papers]
    licence = _licence(metadata.licence)
    counts = f"{citation.summary.stimuli} stimuli of {len(citation.summary.conditions)} conditions"
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": citation.title,
        "description": to_one_line(metadata.notes or "") or f"{counts}, made with stimgen",
        "datePublished": citation.date,
        "license": _reference(licence),
        "version": citation.version,
        "identifier": citation.url,
        "author": _references(authors),
        "citation": _references(papers),
        "mentions": {"@id": MAKING},
        "hasPart": [{"@id": entry.name} for entry in contents.entries],
    }
    return [{key: value for key, value in root.items() if value}, licence, *chain(*people), *papers]


def _reference(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _references(entities: list[Entity]) -> Entity | list[Entity]:
    """Return references to entities; a single one is not in a list, as the format requires."""
    found = [_reference(entity) for entity in entities]
    return found[0] if len(found) == 1 else found


def _licence(text: str | None) -> Entity:
    identifier, address = spdx_identifier(text), licence_url(text)
    if identifier and address:
        entity = {"@id": address, "name": identifier, "description": f"Licence {identifier}"}
    else:
        name = to_one_line(text or "") or "not stated"
        entity = {"@id": "#licence", "name": name, "description": f"Licence: {name}"}
    return {"@type": "CreativeWork", **entity}


def _author(author: Author, number: int) -> list[Entity]:
    """Return an author and, for a person, the affiliation."""
    name, place = PersonName.parse(author.name), to_one_line(author.affiliation or "")
    entity: Entity = {
        "@id": f"https://orcid.org/{author.orcid}" if author.orcid else f"#author-{number + 1}",
        "@type": "Person" if name.given else "Organization",
        "name": f"{name.given} {name.family}".strip(),
    }
    if not place or not name.given:
        return [entity]
    works = {"@id": f"#affiliation-{number + 1}", "@type": "Organization", "name": place}
    return [{**entity, "affiliation": _reference(works)}, works]


def _paper(paper: Paper) -> Entity:
    return {
        "@id": paper.link or f"#{paper.key}",
        "@type": "ScholarlyArticle",
        "name": to_one_line(paper.title),
        "datePublished": str(paper.year),
        "author": [to_one_line(author) for author in paper.authors],
    }


def _file(entry: SetFile) -> Entity:
    return {
        "@id": entry.name,
        "@type": "File",
        "name": entry.name,
        "description": entry.description,
        "contentSize": str(entry.size),
        "encodingFormat": mimetypes.guess_type(entry.name)[0] or "text/plain",
        "sha256": entry.sha256,
    }


def _describe_provenance(contents: SetContents) -> list[Entity]:
    """Return the software, and which files it made from which."""
    citation = contents.citation
    versions = sorted(citation.summary.versions.get("stimgen", ()))
    software = {
        "@id": SOFTWARE,
        "@type": "CreativeWork",
        "name": "stimgen",
        "version": ", ".join(map(to_one_line, versions)) or "unknown",
    }
    made = {
        "@id": MAKING,
        "@type": "CreateAction",
        "name": f"Generation of {citation.title}",
        "instrument": {"@id": SOFTWARE},
        "object": _references([{"@id": picture.original.file} for picture in contents.sources()]),
        "result": _references([{"@id": content.file} for content in contents.stimuli()]),
        **({"endTime": to_one_line(citation.summary.made)} if citation.date else {}),
    }
    return [software, made]
