"""Describes a set in Croissant, for loaders of training data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.columns import list_set_columns
from stimgen.export.sets.contents import SetContents
from stimgen.reading.extras import import_optional
from stimgen.reading.licences import licence_url
from stimgen.reading.names import PersonName
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing import Citation, render_citation
from stimgen.stimulus_set.store import IMAGES, ORIGINALS, TABLE, json_bytes

DESCRIPTOR = "croissant.json"
STIMULI = "stimuli"
PICTURES = "pictures"
TYPES = {"text": "TEXT", "whole": "INTEGER", "number": "FLOAT", "truth": "BOOL"}


class Croissant(Exporter):
    """Copies the set and adds croissant.json for loaders of training data (package mlcroissant)."""

    name: Literal["croissant"] = "croissant"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        package = import_optional("mlcroissant", "croissant", "the format croissant")
        metadata = package.Metadata(
            name=contents.name,
            **_about(contents.citation, package),
            distribution=_files(contents, package),
            record_sets=[_table(package, contents.factors), _pictures(package)],
        )
        contents.copy_all(target)
        (target / DESCRIPTOR).write_bytes(json_bytes(metadata.to_json()))


def _about(citation: Citation, package: Any) -> dict[str, Any]:
    metadata = citation.metadata
    described = {
        "description": f"{citation.title}. {to_one_line(metadata.notes or '')}".strip(),
        "license": [licence_url(metadata.licence) or to_one_line(metadata.licence or "")],
        "url": citation.url,
        "version": citation.version,
        "date_published": citation.date,
        "cite_as": render_citation(citation, "bibtex").split("\n\n", 1)[0],
        "creators": [_creator(author.name, package) for author in citation.metadata.authors],
    }
    return {key: value for key, value in described.items() if value and value != [""]}


def _creator(author: str, package: Any) -> Any:
    name = PersonName.parse(author)
    kind = package.Person if name.given else package.Organization
    return kind(name=f"{name.given} {name.family}".strip())


def _files(contents: SetContents, package: Any) -> list[Any]:
    table = next(entry for entry in contents.entries if entry.name == TABLE)
    described = {"id": TABLE, "name": TABLE, "content_url": TABLE, "sha256": table.sha256}
    sets = [
        package.FileSet(
            id=folder,
            name=folder,
            encoding_formats=["image/png"],
            includes=[f"{folder}/**/*.png", f"{folder}/*.png"],
        )
        for folder in (IMAGES, ORIGINALS)
    ]
    return [package.FileObject(**described, encoding_formats=["text/csv"]), *sets]


def _table(package: Any, factors: tuple[str, ...]) -> Any:
    """Return the records that the table's rows are."""
    fields = [
        package.Field(
            id=f"{STIMULI}/{column.name}",
            name=column.name,
            description=column.description,
            data_types=[getattr(package.DataType, TYPES[column.kind])],
            source=package.Source(file_object=TABLE, extract=package.Extract(column=column.name)),
        )
        for column in list_set_columns(factors)
    ]
    return package.RecordSet(id=STIMULI, name=STIMULI, key=f"{STIMULI}/id", fields=fields)


def _pictures(package: Any) -> Any:
    """Return the records that the stimuli's pictures are, by the names of their files."""
    what = package.FileProperty
    fields = [
        package.Field(
            id=f"{PICTURES}/{name}",
            name=name,
            description=description,
            data_types=[getattr(package.DataType, kind)],
            source=package.Source(file_set=IMAGES, extract=package.Extract(file_property=found)),
        )
        for name, kind, description, found in (
            ("name", "TEXT", "Name of the file, the last part of the column file.", what.filename),
            ("picture", "IMAGE_OBJECT", "The picture.", what.content),
        )
    ]
    return package.RecordSet(id=PICTURES, name=PICTURES, key=f"{PICTURES}/name", fields=fields)
