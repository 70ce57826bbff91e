"""Writes finished stimuli to the set: pictures, arrays, traces, snapshots and records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stimgen.execution.context import RunContext
from stimgen.execution.labels import (
    file_name,
    original_name,
    reference_records,
    snapshot_name,
    source_record,
)
from stimgen.execution.postprocess import ProcessedBatch
from stimgen.images.prepare import Pixels
from stimgen.images.write import decode_png, encode_array, encode_png, quantise
from stimgen.protocol.plan import PlannedStimulus
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import NUMERICS, sha256_bytes
from stimgen.stimulus_set.record import (
    FileHash,
    NetworkRecord,
    Provenance,
    Record,
    RecordContent,
    SnapshotRecord,
    SnapshotSeries,
)
from stimgen.stimulus_set.store import ARRAYS, IMAGES, TRACES, json_bytes, record_file
from stimgen.synthesis.methods import SynthesisResult, TraceEntry
from stimgen.synthesis.snapshots import Snapshot

Files = dict[str, FileHash]


def write_stimulus(i: int, batch: ProcessedBatch, made: Provenance, context: RunContext) -> None:
    """Write the picture, array, trace and snapshots of the i-th stimulus of a batch, and then its record.

    Raises `StimgenError` if the set cannot be written.
    """
    stimulus = batch.stimuli[i]
    parts = {IMAGES: batch.files[i], TRACES: format_trace(batch.result.traces[i])}
    if context.output.array:
        parts[ARRAYS] = encode_array(batch.pictures[i])
    files = {}
    for folder, data in parts.items():
        name = file_name(folder, stimulus, context.output)
        files[folder] = FileHash(file=name, sha256=sha256_bytes(data))
        context.store.write(name, data)
    record = Record(content=_build_content(i, batch, files, context), made=made)
    context.store.write(record_file(stimulus.id), json_bytes(record.to_dict()))


def _build_content(i: int, batch: ProcessedBatch, files: Files, context: RunContext) -> RecordContent:
    stimulus, result, store = batch.stimuli[i], batch.result, context.store
    levels = decode_png(store.read(files[IMAGES].file), store.folder / files[IMAGES].file)
    original = _ensure_original(stimulus.source, batch.sources[i], context)
    height, width, channels = stimulus.source.shape
    return RecordContent(
        id=stimulus.id,
        file=files[IMAGES].file,
        sha256=files[IMAGES].sha256,
        pixels_sha256=sha256_bytes(levels.tobytes()),
        array=files.get(ARRAYS),
        snapshots=_write_snapshots(stimulus, result.snapshots_of(i), context),
        trace=files[TRACES],
        source=source_record(stimulus.source, original, context.output),
        references=reference_records(stimulus, store, context.output),
        condition=stimulus.condition.id,
        seed=stimulus.seed,
        numerics=NUMERICS,
        pixels=stimulus.source.recipe,
        schedule=stimulus.condition.method.schedule(width, height),
        **stimulus.condition.recipe,
        network=_network_records(result, stimulus),
        parameters=stimulus.condition.method.count_parameters(width, height, channels),
        losses=batch.losses[i],
        evaluations=len(result.traces[i]),
        stopped=result.reasons[i],
        quality=batch.quality[i],
        encoding=stimulus.source.staging.encoding,
        clipped=batch.clipped[i],
        changes=context.plan.loaded.changes,
    )


def _write_snapshots(
    stimulus: PlannedStimulus, snapshots: Sequence[Snapshot], context: RunContext
) -> SnapshotSeries | None:
    """Write snapshots of the synthesis, if they are wanted, and return what the record says of them."""
    output, files = context.output, []
    if output.snapshots is None:
        return None
    for snapshot in snapshots:
        data = encode_png(snapshot.levels, stimulus.source.staging.encoding)
        scale, evaluation = place = snapshot.scale, snapshot.evaluation
        name, sha256 = snapshot_name(stimulus, output, place), sha256_bytes(data)
        context.store.write(name, data)
        files.append(SnapshotRecord(file=name, sha256=sha256, scale=scale, evaluation=evaluation))
    return SnapshotSeries(every=output.snapshots, files=tuple(files))


def format_trace(trace: Sequence[TraceEntry]) -> bytes:
    """Return a trace as CSV with scale, evaluation, total loss and all its parts, with all digits."""
    names = list(trace[0].losses.parts) if trace else []
    lines = [",".join(["scale", "evaluation", "total", *names])]
    for entry in trace:
        numbers = [entry.losses.total, *entry.losses.parts.values()]
        lines.append(",".join([str(entry.scale), str(entry.evaluation), *map(repr, numbers)]))
    return ("\n".join(lines) + "\n").encode("ascii")


def _ensure_original(source: PlannedSource, pixels: Pixels, context: RunContext) -> str:
    """Return the hash of the original's file, and write it again if it does not hold `pixels`."""
    # Pixels are compared and not bytes: another version of zlib writes the same picture in other bytes.
    store, levels = context.store, quantise(pixels, source.bits)
    name = original_name(source, context.output)
    try:
        data = store.read(name)
        same = np.array_equal(decode_png(data, store.folder / name), levels)
    except StimgenError:
        same = False
    if not same:
        data = source.encode(pixels)
        store.write(name, data)
    return sha256_bytes(data)


def _network_records(result: SynthesisResult, stimulus: PlannedStimulus) -> list[NetworkRecord]:
    pairs = zip(result.weights_sha256, stimulus.condition.method.validations(), strict=True)
    return [
        NetworkRecord(name=name, weights_sha256=sha, validated_with_observers=v.validated, validation=v.note)
        for (name, sha), v in pairs
    ]
