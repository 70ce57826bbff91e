"""Describes every file and column of a set as a Frictionless Data Package."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.columns import SetColumn, list_set_columns
from stimgen.export.sets.contents import SetContents, SetFile
from stimgen.reading.licences import licence_url, spdx_identifier
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.metadata import Author
from stimgen.stimulus_set.record import SourceRecord
from stimgen.stimulus_set.store import TABLE, json_bytes

DESCRIPTOR = "datapackage.json"
TYPES = {"text": "string", "whole": "integer", "number": "number", "truth": "boolean"}


class Frictionless(Exporter):
    """Copies the set and adds datapackage.json: a Frictionless Data Package, every file with its hash."""

    name: Literal["frictionless"] = "frictionless"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        contents.copy_all(target)
        resources = [_resource(entry, contents.factors) for entry in contents.entries]
        (target / DESCRIPTOR).write_bytes(json_bytes({**_package(contents), "resources": resources}))


def _package(contents: SetContents) -> dict[str, Any]:
    citation, metadata = contents.citation, contents.citation.metadata
    licence = spdx_identifier(metadata.licence)
    package = {
        "profile": "data-package",
        "name": contents.name.lower(),
        "id": citation.url,
        "title": citation.title,
        "description": to_one_line(metadata.notes or ""),
        "version": citation.version,
        "licenses": [{"name": licence, "path": licence_url(licence)}] if licence else [],
        "contributors": [_contributor(author) for author in citation.metadata.authors],
        "sources": [{"title": _describe_source(one)} for one in citation.summary.sources.values()],
    }
    return {key: value for key, value in package.items() if value}


def _contributor(author: Author) -> dict[str, str]:
    organization = to_one_line(author.affiliation or "")
    return {"title": to_one_line(author.name), "role": "author", "organization": organization}


def _describe_source(source: SourceRecord) -> str:
    return " ".join(map(to_one_line, (source.id, source.credit or "", source.licence or ""))).strip()


def _resource(entry: SetFile, factors: tuple[str, ...]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": entry.name.lower().replace("/", "-"),
        "path": entry.name,
        "description": entry.description,
        "format": entry.name.rpartition(".")[2],
        "mediatype": mimetypes.guess_type(entry.name)[0],
        "bytes": entry.size,
        "hash": f"sha256:{entry.sha256}",
    }
    if entry.name == TABLE:
        fields = [_field(column) for column in list_set_columns(factors)]
        described |= {
            "profile": "tabular-data-resource",
            "encoding": "utf-8",
            "schema": {"fields": fields, "primaryKey": "id", "missingValues": [""]},
        }
    return {key: value for key, value in described.items() if value is not None}


def _field(column: SetColumn) -> dict[str, Any]:
    truth = {"trueValues": ["True"], "falseValues": ["False"]} if column.kind == "truth" else {}
    return {"name": column.name, "type": TYPES[column.kind], "description": column.description, **truth}
