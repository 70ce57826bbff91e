"""What a protocol calls things: files, sources, conditions. Ids know nothing of it, so it may change."""

from __future__ import annotations

from stimgen.protocol.plan import StimulusPlan
from stimgen.protocol.schema import Output
from stimgen.protocol.sources import PlannedSource
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.record import Content, FileHash, Record, SourceRecord
from stimgen.stimulus_set.store import ARRAYS, IMAGES, ORIGINALS, TRACES, Store, json_bytes, record_name


def file_name(folder: str, stimulus: StimulusPlan, output: Output) -> str:
    """Return the file of a stimulus in `folder` (images, traces or arrays), relative to the set's."""
    nested = f"{stimulus.id[:2]}/" if output.layout == "nested" else ""
    ending = {IMAGES: "png", TRACES: "csv", ARRAYS: "npy"}[folder]
    return f"{folder}/{nested}{stimulus.name}.{ending}"


def original_name(source: PlannedSource) -> str:
    """Return the file of a prepared source, relative to the set's folder."""
    return f"{ORIGINALS}/{source.original_name}"


def source_record(source: PlannedSource, original_sha256: str) -> SourceRecord:
    """Return what records say of a source."""
    return SourceRecord(
        id=source.id,
        file=source.name,
        sha256=source.sha256,
        licence=source.spec.licence,
        credit=source.spec.credit,
        original=FileHash(file=original_name(source), sha256=original_sha256),
    )


def is_finished(stimulus: StimulusPlan, store: Store, output: Output) -> bool:
    """Return whether a stimulus that has a record is there, whole and under the names that it has now.

    Where only names, credits or the layout changed, record and files are given the new ones; files with the
    old names stay.

    Raises
    ------
    StimgenError
        The record is damaged, or the set cannot be written.
    """
    record = store.read_record(stimulus.id)
    old = record.content
    if old.id != stimulus.id or (output.array and old.array is None):
        return False
    new = _relabelled(old, stimulus, store, output)
    pairs = [(FileHash(file=old.file, sha256=old.sha256), new.file), (old.trace, new.trace.file)]
    if old.array and new.array:
        pairs.append((old.array, new.array.file))
    if not all(_is_there(file, name, store) for file, name in pairs):
        return False
    if new != old:
        store.write(record_name(stimulus.id), json_bytes(Record(content=new, made=record.made).plain()))
    return True


def _relabelled(content: Content, stimulus: StimulusPlan, store: Store, output: Output) -> Content:
    original, array = content.source.original, content.array
    renamed = original.file != original_name(stimulus.source)
    sha256 = sha256_bytes(store.read(original_name(stimulus.source))) if renamed else original.sha256
    return content.model_copy(
        update={
            "file": file_name(IMAGES, stimulus, output),
            "trace": content.trace.but(file=file_name(TRACES, stimulus, output)),
            "array": array.but(file=file_name(ARRAYS, stimulus, output)) if array and output.array else None,
            "source": source_record(stimulus.source, sha256),
            "condition": stimulus.condition.id,
        }
    )


def _is_there(file: FileHash, name: str, store: Store) -> bool:
    """Return whether a recorded file is there, under the name that is wanted, copying it if need be."""
    if file.file == name:
        return store.has(name)
    if not store.has(file.file):
        return False
    data = store.read(file.file)
    if sha256_bytes(data) != file.sha256:
        return False
    store.update(name, data)
    return True
