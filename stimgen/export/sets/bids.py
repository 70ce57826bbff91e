"""Writes the stimuli of a BIDS dataset, as the draft BEP 044 (Stim-BIDS) has them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from stimgen.export.columns import TableColumn, format_tsv
from stimgen.export.sets.base import Exporter
from stimgen.export.sets.bids_names import (
    STIMULI,
    STIMULUS_COLUMN,
    TABLE,
    original_label,
    picture_name,
    stimulus_label,
)
from stimgen.export.sets.contents import SetContents
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing import render_citation
from stimgen.stimulus_set.record import RecordContent, SourceRecord
from stimgen.stimulus_set.store import CITATION, json_bytes

BIDS_VERSION = "1.11.1"
COLUMNS = (
    TableColumn(STIMULUS_COLUMN, "Label of the stimulus, with which its files begin and which events name."),
    TableColumn("type", "Kind of stimulus: all are still images."),
    TableColumn("license", "Licence of the set; of an original, that of the photograph."),
    TableColumn("copyright", "Who made the photograph, as the set's protocol says."),
    TableColumn("description", "What the picture is."),
    TableColumn("HED", "Tags (Hierarchical Event Descriptors) of what an original shows."),
    TableColumn(
        "original_id", "Label of the photograph that the stimulus was made from, as the model saw it."
    ),
    TableColumn("condition", "How the stimulus was made."),
    TableColumn("source", "Photograph that it was made from."),
    TableColumn("seed", "Seed of its random numbers."),
    TableColumn("sha256", "SHA-256 of the PNG file."),
)


class Bids(Exporter):
    """Writes stimuli/ of a BIDS dataset (draft BEP 044, Stim-BIDS), each picture with its settings."""

    name: Literal["bids"] = "bids"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        rows = []
        for stored, described, record in _list_pictures(contents):
            row = {key: to_one_line(v) if isinstance(v, str) else v for key, v in described.items()}
            file = target / STIMULI / picture_name(row[STIMULUS_COLUMN])
            contents.copy(stored, row["sha256"], file)
            told = {key.title(): row[key] for key in ("description", "license", "copyright") if row[key]}
            file.with_suffix(".json").write_bytes(json_bytes({**told, "StimgenRecord": record}))
            rows.append({"type": "image", **row})
        (target / TABLE).write_bytes(format_tsv(COLUMNS, rows))
        columns = {column.name: column.to_sidecar() for column in COLUMNS}
        (target / TABLE).with_suffix(".json").write_bytes(json_bytes(columns))
        (target / "dataset_description.json").write_bytes(json_bytes(_describe_dataset(contents)))
        (target / "README").write_text(render_citation(contents.citation, "methods"), encoding="utf-8")
        (target / CITATION).write_bytes(contents.read(CITATION))


def _describe_dataset(contents: SetContents) -> dict[str, Any]:
    citation = contents.citation
    # Licence and references are in the citation file, and belong in one place only.
    described = {
        "Name": citation.title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "DatasetDOI": f"doi:{citation.metadata.doi}" if citation.metadata.doi else "",
        "GeneratedBy": [{"Name": "stimgen", "Version": version("stimgen")}],
    }
    return {key: value for key, value in described.items() if value}


def _list_pictures(contents: SetContents) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    licence = contents.citation.metadata.licence
    for source in contents.sources():
        yield source.original.file, _describe_original(source), source.to_dict()
    for content in contents.stimuli():
        yield content.file, _describe_stimulus(content, licence), content.to_dict()


def _describe_original(source: SourceRecord) -> dict[str, Any]:
    shows = f" ({source.description})" if source.description else ""
    return {
        STIMULUS_COLUMN: original_label(source.original.sha256),
        "license": source.licence,
        "copyright": source.credit,
        "description": f"Source {source.id} as the model saw it{shows}",
        "HED": source.hed,
        "source": source.id,
        "sha256": source.original.sha256,
    }


def _describe_stimulus(content: RecordContent, licence: str | None) -> dict[str, Any]:
    shows = f" ({content.source.description})" if content.source.description else ""
    return {
        STIMULUS_COLUMN: stimulus_label(content.id),
        "license": licence,
        "copyright": content.source.credit,
        "description": f"Stimulus of condition {content.condition} from source {content.source.id}{shows}",
        "original_id": original_label(content.source.original.sha256),
        "condition": content.condition,
        "source": content.source.id,
        "seed": content.seed,
        "sha256": content.sha256,
    }
