"""Models the record of one stimulus: what it is, and how it was made."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

from stimgen.reading.identity import SHA256_PATTERN, canonical_json, recipe_identity
from stimgen.reading.model import Model
from stimgen.stimulus_set.factors import format_factors
from stimgen.stimulus_set.quality import QualityRecord

RECORD_FORMAT = 1


def _refuse_non_finite(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    canonical_json(value)  # refuses NaN and infinities, which JSON does not have
    return value


JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_refuse_non_finite)]


Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]


class FileHash(Model):
    """Names a file of the set, with its hash."""

    file: str
    """Path relative to the set's folder, with forward slashes."""
    sha256: Sha256
    """Hash of its bytes."""


CAME_LATER = ("description", "factors", "hed", "read")  # keys that records of earlier versions do not have


def format_annotation(description: str | None, hed: str | None) -> str:
    """Return what a source shows and its tags as one text; empty if neither is given."""
    return f"{description or ''}|{hed or ''}" if description or hed else ""


class SourceRecord(Model):
    """Describes the photograph that a stimulus was made from."""

    id: str
    file: str
    """As the protocol names it."""
    sha256: str
    licence: str | None
    credit: str | None
    original: FileHash
    """The source as the model saw it: cropped, resampled, after its steps, on its canvas; rounded."""
    read: JsonObject | None = None
    """What was done to the numbers in its file, such as a conversion of colours; left out if nothing was."""
    factors: dict[str, str] | None = None
    """What analyses may group by, such as its category; left out if it has none."""
    description: str | None = None
    """What it shows, as the protocol says; left out if it does not."""
    hed: str | None = None
    """Tags of the Hierarchical Event Descriptors for what it shows; left out if there are none."""

    @property
    def annotation(self) -> str:
        """Return description and tags as one text."""
        return format_annotation(self.description, self.hed)

    @model_serializer(mode="wrap")
    def _leave_out_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        return {key: value for key, value in found.items() if value is not None or key not in CAME_LATER}


class NetworkRecord(Model):
    """Names a network that stimulus and source were compared with."""

    name: str
    weights_sha256: str | None
    """Hash of the weights in use; None for pixels, which have none."""
    validated_with_observers: bool
    """Whether a published experiment compared this model's stimuli with originals."""
    validation: str
    """Which experiment, or why not."""


class LossRecord(Model):
    """Holds the loss of one image."""

    total: float
    parts: dict[str, float]
    """Every term's weighted share, and the range penalty's."""


class LossesRecord(Model):
    """Holds the loss at every stage of making a stimulus."""

    start: LossRecord
    """The start image, at full size."""
    end: LossRecord
    """The end of synthesis, before any step and rounding."""
    before_steps: LossRecord | None
    """Rounded as the file is, without the steps after synthesis."""
    saved: LossRecord | None
    """The file, read back; None where steps changed its size."""


class ClippedRecord(Model):
    """Holds the fractions of values that were outside the range and were clipped."""

    source: float
    """In the source, after the steps before synthesis."""
    saved: float
    """In the saved picture, after synthesis and all steps."""


class SnapshotRecord(FileHash):
    """Names a picture whose loss was evaluated."""

    scale: int
    """From 0, the coarsest."""
    evaluation: int
    """At that scale, from 1."""


class SnapshotSeries(Model):
    """Lists pictures of a synthesis on its way: the first, every n-th and the last of every scale."""

    every: int
    """Evaluations from one to the next."""
    files: tuple[SnapshotRecord, ...]
    """In the order of their making."""


class StimulusLabels(NamedTuple):
    """Holds an id, and every name that may be changed in a protocol without changing the stimulus."""

    id: str
    file: str
    trace: str
    array: str | None
    condition: str
    source: str
    source_file: str
    source_sha256: str
    licence: str | None
    credit: str | None
    original: str
    references: str = ""
    snapshots: str | None = None
    factors: str = ""
    annotation: str = ""


class RecordContent(Model):
    """Says what a stimulus is; this is the same wherever and whenever it is made."""

    id: str
    """Hash of `numerics`, `pixels`, `schedule`, `seed`, `settings` and `terms`."""
    file: str
    sha256: Sha256
    pixels_sha256: Sha256
    """Hash of the values, row by row, those of 16 bits with their lower byte first, whatever the PNG's
    compression."""
    array: FileHash | None
    trace: FileHash
    snapshots: SnapshotSeries | None = None
    source: SourceRecord
    references: tuple[SourceRecord, ...] = ()
    """Other pictures that targets were measured in."""
    condition: str
    seed: int
    numerics: int
    pixels: JsonObject
    """How the source became pixels."""
    terms: list[JsonObject]
    """The objective, written out."""
    schedule: Annotated[list[tuple[int, int, int]], Field(min_length=1)]
    """Width, height and evaluations at the most of every scale, from coarse to fine."""
    settings: JsonObject
    """How it was optimised."""
    network: list[NetworkRecord]
    parameters: int
    """Number of parameters of the model."""
    losses: LossesRecord | None
    """None where no objective was minimised."""
    evaluations: int
    stopped: str
    """Why: ``evaluations`` (all that were allowed), ``plateau``, ``tolerance`` or ``no_descent``; ``made``
    where nothing was minimised."""
    quality: QualityRecord | None = None
    """How near its source it is, and whether going on would have changed it."""
    encoding: str
    """How the values of the PNG file mean light: ``srgb`` or ``linear``."""
    clipped: ClippedRecord
    changes: tuple[str, ...] = ()
    """What ``--quick`` changed of the protocol."""

    @property
    def size(self) -> list[Any]:
        """Return width and height of the saved picture, which steps may have cropped."""
        steps = self.settings.get("after")
        chosen = steps if isinstance(steps, list) else []
        found = [step.get("box") for step in chosen if isinstance(step, dict)]
        boxes = [box for box in found if isinstance(box, list)]
        return list(boxes[-1][2:] if boxes else self.schedule[-1][:2])

    @property
    def files(self) -> list[FileHash]:
        """Return all files of the stimulus: its picture first, its originals last."""
        found = [FileHash(file=self.file, sha256=self.sha256), self.trace, self.array]
        found += self.snapshots.files if self.snapshots else ()
        return [file for file in (*found, *self.originals) if file is not None]

    @property
    def originals(self) -> list[FileHash]:
        """Return the pictures that it was made from, as the model saw them; other stimuli may share them."""
        return [picture.original for picture in (self.source, *self.references)]

    @property
    def recipe(self) -> dict[str, Any]:
        """Return everything that the id stands for."""
        same = {key: getattr(self, key) for key in ("numerics", "pixels", "seed", "settings", "terms")}
        return {**same, "schedule": [list(scale) for scale in self.schedule]}

    @property
    def labels(self) -> StimulusLabels:
        """Return what this stimulus and its files are called."""
        return StimulusLabels(
            id=self.id,
            file=self.file,
            trace=self.trace.file,
            array=self.array.file if self.array else None,
            condition=self.condition,
            source=self.source.id,
            source_file=self.source.file,
            source_sha256=self.source.sha256,
            licence=self.source.licence,
            credit=self.source.credit,
            original=self.source.original.file,
            references=";".join(
                "|".join([r.id, r.file, r.licence or "", r.credit or "", r.original.file])
                for r in self.references
            ),
            snapshots=str(self.snapshots.every) if self.snapshots else None,
            factors=format_factors(self.source.factors or {}),
            annotation=self.source.annotation,
        )

    def compute_id(self) -> str:
        """Return the id that the settings stand for."""
        return recipe_identity(self.recipe)


class Provenance(Model):
    """Says when, where and with what a stimulus was made."""

    started: str
    """ISO 8601, UTC."""
    finished: str
    seconds: float
    """Of the whole batch."""
    host: str
    device: str
    processor: str | None = None
    """Model and instructions in use; sets of before this was recorded do not say."""
    versions: dict[str, str]
    threads: int
    batch_size: int
    """Stimuli made together."""
    slots: int
    """Images computed at once, padding included."""


class Record(Model):
    """Records one stimulus."""

    format: int = RECORD_FORMAT
    content: RecordContent
    made: Provenance
