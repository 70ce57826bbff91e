"""From finished pictures to files and records of the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
from stimgen.protocol.schema import OutputSettings
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
from stimgen.stimulus_set.store import ARRAYS, IMAGES, TRACES, Store, json_bytes, record_file
from stimgen.synthesis.evaluation_network import EvaluationNetwork
from stimgen.synthesis.methods import SynthesisResult, TraceEntry
from stimgen.synthesis.snapshots import Snapshot


@dataclass(frozen=True)
class Destination:
    """Where stimuli are written, and what of them.

    Attributes
    ----------
    store : Store
        The set.
    output : OutputSettings
        What is written.
    judge : EvaluationNetwork or None
        Who compares stimuli with their sources.
    changes : tuple of str
        What was changed of the protocol, to try it quickly.
    """

    store: Store
    output: OutputSettings
    judge: EvaluationNetwork | None = None
    changes: tuple[str, ...] = ()


def write_stimulus(i: int, finished: ProcessedBatch, made: Provenance, destination: Destination) -> None:
    """Write picture, array, trace and snapshots of a finished stimulus, and then its record.

    Raises
    ------
    StimgenError
        The set cannot be written.
    """
    stimulus = finished.stimuli[i]
    parts = {IMAGES: finished.files[i], TRACES: format_trace(finished.result.traces[i])}
    if destination.output.array:
        parts[ARRAYS] = encode_array(finished.pictures[i])
    files = {
        folder: FileHash(file=file_name(folder, stimulus, destination.output), sha256=sha256_bytes(data))
        for folder, data in parts.items()
    }
    for folder, data in parts.items():
        destination.store.write(files[folder].file, data)
    record = Record(content=_build_content(i, finished, files, destination), made=made)
    destination.store.write(record_file(stimulus.id), json_bytes(record.to_dict()))


def _build_content(
    i: int, finished: ProcessedBatch, files: dict[str, FileHash], destination: Destination
) -> RecordContent:
    stimulus, result, store = finished.stimuli[i], finished.result, destination.store
    levels = decode_png(store.read(files[IMAGES].file), store.folder / files[IMAGES].file)
    original = _ensure_original(stimulus.source, finished.sources[i], destination)
    height, width, _ = stimulus.source.shape
    return RecordContent(
        id=stimulus.id,
        file=files[IMAGES].file,
        sha256=files[IMAGES].sha256,
        pixels_sha256=sha256_bytes(levels.tobytes()),
        array=files.get(ARRAYS),
        snapshots=_write_snapshots(stimulus, result.snapshots_of(i), destination),
        trace=files[TRACES],
        source=source_record(stimulus.source, original, destination.output),
        references=reference_records(stimulus, store, destination.output),
        condition=stimulus.condition.id,
        seed=stimulus.seed,
        numerics=NUMERICS,
        pixels=stimulus.source.recipe,
        schedule=stimulus.condition.method.schedule(width, height),
        **stimulus.condition.recipe,
        network=_network_records(result, stimulus),
        parameters=stimulus.condition.method.count_parameters(width, height),
        losses=finished.losses[i],
        evaluations=len(result.traces[i]),
        stopped=result.reasons[i],
        quality=finished.quality[i],
        encoding=stimulus.source.staging.encoding,
        clipped=finished.clipped[i],
        changes=destination.changes,
    )


def _write_snapshots(
    stimulus: PlannedStimulus, snapshots: Sequence[Snapshot], destination: Destination
) -> SnapshotSeries | None:
    """Write pictures of the way, where they are wanted, and return what the record says of them."""
    output, files = destination.output, []
    if output.snapshots is None:
        return None
    for snapshot in snapshots:
        data = encode_png(snapshot.levels, stimulus.source.staging.encoding)
        scale, evaluation = snapshot.scale, snapshot.evaluation
        name = snapshot_name(stimulus, output, (scale, evaluation))
        destination.store.write(name, data)
        sha256 = sha256_bytes(data)
        files.append(SnapshotRecord(file=name, sha256=sha256, scale=scale, evaluation=evaluation))
    return SnapshotSeries(every=output.snapshots, files=tuple(files))


def format_trace(trace: Sequence[TraceEntry]) -> bytes:
    """Return a trace as CSV: scale, evaluation, total, every part; numbers in full."""
    names = list(trace[0].losses.parts) if trace else []
    lines = [",".join(["scale", "evaluation", "total", *names])]
    for entry in trace:
        numbers = [entry.losses.total, *entry.losses.parts.values()]
        lines.append(",".join([str(entry.scale), str(entry.evaluation), *map(repr, numbers)]))
    return ("\n".join(lines) + "\n").encode("ascii")


def _ensure_original(source: PlannedSource, pixels: Pixels, destination: Destination) -> str:
    """Return the hash of the original's file, which is written again only where it is not `pixels`.

    Another version of zlib would give the same picture in other bytes.
    """
    store, levels = destination.store, quantise(pixels, source.bits)
    name = original_name(source, destination.output)
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
    return [
        NetworkRecord(
            name=name, weights_sha256=sha256, validated_with_observers=known.validated, validation=known.note
        )
        for (name, sha256), known in zip(
            result.weights_sha256, stimulus.condition.method.validations(), strict=True
        )
    ]
