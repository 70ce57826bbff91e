"""The stimuli of a BIDS dataset, as the draft BEP 044 (Stim-BIDS) has them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stimgen.export.columns import Column, tab_separated
from stimgen.export.sets.base import Exporter
from stimgen.export.sets.bids_names import (
    STIMULI,
    STIMULUS_COLUMN,
    TABLE,
    original_label,
    picture_name,
    stimulus_label,
)
from stimgen.export.sets.contents import Contents
from stimgen.reading.text import one_line
from stimgen.stimulus_set.citing import rendered
from stimgen.stimulus_set.record import Content, SourceRecord
from stimgen.stimulus_set.store import CITATION, json_bytes

BIDS_VERSION = "1.11.1"
COLUMNS = (
    Column(STIMULUS_COLUMN, "Label of the stimulus, with which its files begin and which events name."),
    Column("type", "Kind of stimulus: all are still images."),
    Column("license", "Licence of the set; of an original, that of the photograph."),
    Column("copyright", "Who made the photograph, as the set's protocol says."),
    Column("description", "What the picture is."),
    Column("original_id", "Label of the photograph that the stimulus was made from, as the model saw it."),
    Column("condition", "How the stimulus was made."),
    Column("source", "Photograph that it was made from."),
    Column("seed", "Seed of its random numbers."),
    Column("sha256", "SHA-256 of the PNG file."),
)


class Picture(NamedTuple):
    """A file of the set, and what is said of it."""

    file: str
    row: dict[str, Any]
    details: dict[str, Any]


class Bids(Exporter):
    """stimuli/ of a BIDS dataset as in the draft Stim-BIDS (BEP 044), each picture with its settings."""

    name: Literal["bids"] = "bids"

    def write(self, contents: Contents, target: Path) -> None:
        """Write the dataset."""
        rows = []
        for picture in _pictures(contents):
            file = target / STIMULI / picture_name(picture.row[STIMULUS_COLUMN])
            contents.copy(picture.file, picture.row["sha256"], file)
            file.with_suffix(".json").write_bytes(json_bytes(_sidecar(picture)))
            rows.append(picture.row)
        (target / TABLE).write_bytes(tab_separated(COLUMNS, rows))
        described = {column.name: column.described() for column in COLUMNS}
        (target / TABLE).with_suffix(".json").write_bytes(json_bytes(described))
        (target / "dataset_description.json").write_bytes(json_bytes(_dataset(contents)))
        (target / "README").write_text(rendered(contents.citation, "methods"), encoding="utf-8")
        (target / CITATION).write_bytes(contents.read(CITATION))


def _dataset(contents: Contents) -> dict[str, Any]:
    citation = contents.citation
    # Licence and references stand in the citation file, and are to stand in one place.
    described = {
        "Name": citation.title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "DatasetDOI": f"doi:{citation.metadata.doi}" if citation.metadata.doi else "",
        "GeneratedBy": [{"Name": "stimgen", "Version": version("stimgen")}],
    }
    return {key: value for key, value in described.items() if value}


def _pictures(contents: Contents) -> Iterator[Picture]:
    licence = contents.citation.metadata.licence
    for source in contents.pictures():
        yield _original(source)
    for content in contents.stimuli():
        yield _stimulus(content, licence)


def _original(source: SourceRecord) -> Picture:
    row = {
        STIMULUS_COLUMN: original_label(source.original.sha256),
        "license": source.licence,
        "copyright": source.credit,
        "description": f"Source {source.id} as the model saw it",
        "source": source.id,
        "sha256": source.original.sha256,
    }
    return Picture(source.original.file, _tidy(row), source.plain())


def _stimulus(content: Content, licence: str | None) -> Picture:
    row = {
        STIMULUS_COLUMN: stimulus_label(content.id),
        "license": licence,
        "copyright": content.source.credit,
        "description": f"Stimulus of condition {content.condition} from source {content.source.id}",
        "original_id": original_label(content.source.original.sha256),
        "condition": content.condition,
        "source": content.source.id,
        "seed": content.seed,
        "sha256": content.sha256,
    }
    return Picture(content.file, _tidy(row), content.plain())


def _tidy(row: dict[str, Any]) -> dict[str, Any]:
    tidy = {key: one_line(value) if isinstance(value, str) else value for key, value in row.items()}
    return {"type": "image", **tidy}


def _sidecar(picture: Picture) -> dict[str, Any]:
    """Return what lies beside a picture: the draft's fields, and the set's record."""
    known = {name.title(): picture.row[name] for name in ("description", "license", "copyright")}
    return {key: value for key, value in known.items() if value} | {"StimgenRecord": picture.details}
