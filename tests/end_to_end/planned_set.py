"""Sets as protocols plan them, but for the pictures, which are noise: they take no time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stimgen.execution.labels import file_name, source_record
from stimgen.images.write import encode_png
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.plan import PlannedStimulus, make_plan
from stimgen.reading.identity import NUMERICS, sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.record import ClippedRecord, FileHash, Provenance, Record, RecordContent
from stimgen.stimulus_set.store import IMAGES, PLAN, TRACES, Store, json_bytes, record_file

MADE = Provenance(
    started="2026-01-01T00:00:00.000000Z",
    finished="2026-01-01T00:00:01.000000Z",
    seconds=1.0,
    host="nowhere",
    device="cpu",
    versions={},
    threads=1,
    batch_size=2,
    slots=2,
)


def write_planned_set(folder: Path, protocol: str | Path) -> Store:
    """Write the set of a protocol."""
    loaded = load_protocol(protocol)
    store = Store.create(folder)
    stimuli = make_plan(loaded).stimuli
    about = {"file": loaded.document.file.name, "text": loaded.document.text, "sha256": loaded.sha256}
    store.write(PLAN, json_bytes({"format": 1, "protocol": about, "ids": [one.id for one in stimuli]}))
    for stimulus in stimuli:
        record = Record(content=_content(store, loaded, stimulus), made=MADE)
        store.write(record_file(stimulus.id), json_bytes(record.to_dict()))
    write_derived_files(store)
    return store


def _content(store: Store, loaded: LoadedProtocol, stimulus: PlannedStimulus) -> RecordContent:
    height, width, channels = stimulus.source.shape
    rng = np.random.default_rng([*stimulus.id.encode()])
    levels = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    original = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    output = loaded.protocol.output
    picture = _file(store, file_name(IMAGES, stimulus, output), encode_png(levels))
    source = source_record(stimulus.source, "0" * 64, output)
    name = source.original.file
    data = store.read(name) if store.has(name) else encode_png(original)
    return RecordContent(
        id=stimulus.id,
        file=picture.file,
        sha256=picture.sha256,
        pixels_sha256=sha256_bytes(levels.tobytes()),
        array=None,
        trace=_file(store, file_name(TRACES, stimulus, output), b"scale,evaluation,total\n"),
        source=source.model_copy(update={"original": _file(store, name, data)}),
        condition=stimulus.condition.id,
        seed=stimulus.seed,
        numerics=NUMERICS,
        pixels=stimulus.source.recipe,
        schedule=stimulus.condition.method.schedule(width, height),
        **stimulus.condition.recipe,
        network=[],
        parameters=0,
        losses=None,
        evaluations=0,
        stopped="made",
        encoding=stimulus.source.staging.encoding,
        clipped=ClippedRecord(source=0.0, saved=0.0),
    )


def _file(store: Store, name: str, data: bytes) -> FileHash:
    store.write(name, data)
    return FileHash(file=name, sha256=sha256_bytes(data))
