"""Names files, sources and conditions as the protocol does; ids do not depend on names."""

from __future__ import annotations

from stimgen.protocol.plan import PlannedStimulus
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.schema import OutputSettings
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.factors import format_factors
from stimgen.stimulus_set.record import (
    FileHash,
    Record,
    RecordContent,
    SnapshotSeries,
    SourceRecord,
    StimulusLabels,
    format_annotation,
)
from stimgen.stimulus_set.store import (
    ARRAYS,
    IMAGES,
    ORIGINALS,
    SNAPSHOTS,
    TRACES,
    Store,
    json_bytes,
    record_file,
)

ENDINGS = {IMAGES: "png", TRACES: "csv", ARRAYS: "npy", SNAPSHOTS: "png"}


def file_name(folder: str, stimulus: PlannedStimulus, output: OutputSettings) -> str:
    """Return the file of a stimulus in `folder` (images, traces or arrays), relative to the set's."""
    return f"{folder}/{_folder_prefix(stimulus.id, output)}{stimulus.name}.{ENDINGS[folder]}"


def snapshot_name(stimulus: PlannedStimulus, output: OutputSettings, place: tuple[int, int]) -> str:
    """Return the file of a snapshot, by its scale and its evaluation at that scale."""
    stem, ending = file_name(SNAPSHOTS, stimulus, output).rsplit(".", 1)
    scale, evaluation = place
    return f"{stem}_{scale}_{evaluation}.{ending}"


def original_name(source: PlannedSource, output: OutputSettings) -> str:
    """Return the file of a prepared source, relative to the set's folder."""
    return f"{ORIGINALS}/{_folder_prefix(source.original_id, output)}{source.original_name}"


def _folder_prefix(identity: str, output: OutputSettings) -> str:
    return f"{identity[:2]}/" if output.layout == "nested" else ""


def source_record(source: PlannedSource, original_sha256: str, output: OutputSettings) -> SourceRecord:
    """Return what records say of a source."""
    return SourceRecord(
        id=source.id,
        file=source.name,
        sha256=source.sha256,
        licence=source.spec.licence,
        credit=source.spec.credit,
        original=FileHash(file=original_name(source, output), sha256=original_sha256),
        read=source.conversions or None,
        factors=dict(source.factors) or None,
        description=source.spec.description,
        hed=source.spec.hed,
    )


def reference_records(
    stimulus: PlannedStimulus, store: Store, output: OutputSettings
) -> tuple[SourceRecord, ...]:
    """Return what records say of the other pictures that a stimulus' targets name."""
    pictures = stimulus.condition.pictures
    return tuple(
        source_record(p, sha256_bytes(store.read(original_name(p, output))), output) for p in pictures
    )


def planned_labels(stimulus: PlannedStimulus, output: OutputSettings) -> StimulusLabels:
    """Return the names of a stimulus, its source and its files."""
    source = stimulus.source
    return StimulusLabels(
        id=stimulus.id,
        file=file_name(IMAGES, stimulus, output),
        trace=file_name(TRACES, stimulus, output),
        array=file_name(ARRAYS, stimulus, output) if output.array else None,
        condition=stimulus.condition.id,
        source=source.id,
        source_file=source.name,
        source_sha256=source.sha256,
        licence=source.spec.licence,
        credit=source.spec.credit,
        original=original_name(source, output),
        references=";".join(
            "|".join([p.id, p.name, p.spec.licence or "", p.spec.credit or "", original_name(p, output)])
            for p in stimulus.condition.pictures
        ),
        snapshots=str(output.snapshots) if output.snapshots else None,
        factors=format_factors(source.factors),
        annotation=format_annotation(source.spec.description, source.spec.hed),
    )


def is_complete(
    content: RecordContent, stimulus: PlannedStimulus, store: Store, output: OutputSettings
) -> bool:
    """Return whether a recorded stimulus is there with all its files, whatever their names."""
    if content.id != stimulus.id or (output.array and content.array is None):
        return False
    if output.snapshots and (content.snapshots is None or content.snapshots.every != output.snapshots):
        return False
    for file, name in _planned_names(content, stimulus, output).items():
        if not store.has(file.file):
            return False
        # A file that has to be copied to another name must be undamaged.
        if file.file != name and sha256_bytes(store.read(file.file)) != file.sha256:
            return False
    return True


def relabel(stimulus: PlannedStimulus, store: Store, output: OutputSettings) -> None:
    """Give a finished stimulus and its files the names, credits and layout of the plan.

    Files with the old names stay until manifest and checksums are derived.

    Raises `StimgenError` if the set cannot be written.
    """
    record = store.read_record(stimulus.id)
    content, names = record.content, _planned_names(record.content, stimulus, output)
    for file, name in names.items():
        store.update(name, store.read(file.file))
    snapshots = None
    if content.snapshots and output.snapshots:
        files = tuple(file.replace(file=names[file]) for file in content.snapshots.files)
        snapshots = SnapshotSeries(every=content.snapshots.every, files=files)
    array = content.array if output.array else None
    old, original = content.source.original, original_name(stimulus.source, output)
    sha256 = old.sha256 if old.file == original else sha256_bytes(store.read(original))
    renamed = content.model_copy(
        update={
            "file": file_name(IMAGES, stimulus, output),
            "trace": content.trace.replace(file=names[content.trace]),
            "array": array and array.replace(file=names[array]),
            "snapshots": snapshots,
            "source": source_record(stimulus.source, sha256, output),
            "references": reference_records(stimulus, store, output),
            "condition": stimulus.condition.id,
        }
    )
    store.write(record_file(stimulus.id), json_bytes(Record(content=renamed, made=record.made).to_dict()))


def _planned_names(
    content: RecordContent, stimulus: PlannedStimulus, output: OutputSettings
) -> dict[FileHash, str]:
    """Return every recorded file of a stimulus with the name that the plan gives it."""
    names = {
        FileHash(file=content.file, sha256=content.sha256): file_name(IMAGES, stimulus, output),
        content.trace: file_name(TRACES, stimulus, output),
    }
    if content.array and output.array:
        names[content.array] = file_name(ARRAYS, stimulus, output)
    if content.snapshots and output.snapshots:
        for file in content.snapshots.files:
            names[file] = snapshot_name(stimulus, output, (file.scale, file.evaluation))
    return names
