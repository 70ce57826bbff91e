"""One batch: from planned stimuli to files of the set. The unit of work, wherever it runs."""

from __future__ import annotations

import platform
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stimgen.execution.device import FEWEST_SLOTS, device_name, reproducibly
from stimgen.execution.labels import file_name, original_name, source_record
from stimgen.images.colour_matching import match_colours
from stimgen.images.prepare import Pixels
from stimgen.images.write import ENCODING, as_pixels, decode_png, encode_array, encode_png, quantise
from stimgen.protocol.plan import Plan, StimulusPlan
from stimgen.protocol.schema import Output
from stimgen.protocol.sources import PlannedSource
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import NUMERICS, sha256_bytes
from stimgen.stimulus_set.record import (
    Content,
    FileHash,
    LossesRecord,
    LossRecord,
    Made,
    NetworkRecord,
    Record,
)
from stimgen.stimulus_set.store import ARRAYS, IMAGES, TRACES, Store, json_bytes, record_name
from stimgen.synthesis.methods import Batch, Item, Losses, Result, Step, Traced

RECORDED_PACKAGES = ("stimgen", "torch", "torchvision", "numpy", "pillow", "scikit-image")


@dataclass(frozen=True)
class Failure:
    """A stimulus that could not be made.

    Attributes
    ----------
    stimulus : StimulusPlan
        Which.
    reason : str
        Why.
    """

    stimulus: StimulusPlan
    reason: str


@dataclass(frozen=True)
class Work:
    """What a batch needs to know beside its stimuli.

    Attributes
    ----------
    store : Store
        The set.
    output : Output
        What is written.
    device : torch.device
        Where to compute.
    batch_size : int
        Stimuli that are made together at the most; on a GPU every batch is padded to it.
    """

    store: Store
    output: Output
    device: torch.device
    batch_size: int


def form_batches(stimuli: Sequence[StimulusPlan], size: int) -> list[list[StimulusPlan]]:
    """Return `stimuli` in batches of one method and one shape, in their order."""
    groups: dict[tuple[str, tuple[int, int, int]], list[StimulusPlan]] = {}
    for stimulus in stimuli:
        groups.setdefault((stimulus.condition.id, stimulus.source.shape), []).append(stimulus)
    return [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]


def write_originals(plan: Plan, store: Store) -> None:
    """Prepare every source and write it to the set, so that a bad one is found before anything runs.

    Raises
    ------
    StimgenError
        A source cannot be used, or the set cannot be written.
    """
    for source in plan.sources:
        if not store.has(original_name(source)):
            store.write(original_name(source), encode_png(quantise(source.pixels())))


def make_batch(stimuli: Sequence[StimulusPlan], work: Work) -> Generator[Step, None, list[Failure]]:
    """Make stimuli of one condition and shape and write them, yielding after each evaluation.

    Returns
    -------
    list of Failure
        Stimuli whose loss was not finite; the others are written.

    Raises
    ------
    StimgenError
        A source changed, weights are missing, the disk is full, the memory does not suffice.
    """
    started = datetime.now(UTC)
    method = stimuli[0].condition.method
    sources = {stimulus.source.id: stimulus.source.pixels() for stimulus in stimuli}
    items = [stimulus_item(stimulus, sources[stimulus.source.id]) for stimulus in stimuli]
    on_cpu = work.device.type == "cpu"
    slots = max(FEWEST_SLOTS, len(items) if on_cpu else work.batch_size)
    try:
        with reproducibly(work.device):
            result = yield from method.run(Batch(items, slots, shrink=on_cpu), work.device)
            finished = _finish(result, items, stimuli)
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        raise StimgenError(
            f"not enough memory on {work.device} for a batch of {work.batch_size}",
            hint="run the same command with a smaller --batch-size; what is finished is kept",
        ) from error
    made = Made(
        started=_iso(started),
        finished=_iso(datetime.now(UTC)),
        seconds=round((datetime.now(UTC) - started).total_seconds(), 3),
        host=platform.node(),
        device=device_name(work.device),
        versions=_versions(),
        threads=torch.get_num_threads(),
        batch_size=len(items),
        slots=slots,
    )
    return [failure for i in range(len(items)) if (failure := _write(i, finished, made, work)) is not None]


def stimulus_item(stimulus: StimulusPlan, source: Pixels) -> Item:
    """Return what synthesis needs of a stimulus, given its prepared source."""
    start = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
    return Item(source=source, start=start, source_key=stimulus.source.id)


@dataclass(frozen=True)
class _Finished:
    """A batch after colour matching and rounding, with every loss; one entry a stimulus."""

    stimuli: Sequence[StimulusPlan]
    sources: list[Pixels]
    result: Result
    pictures: list[Pixels]
    files: list[bytes]
    end: list[Losses]
    unmatched: list[Losses]
    saved: list[Losses]


def _finish(result: Result, items: Sequence[Item], stimuli: Sequence[StimulusPlan]) -> _Finished:
    how = stimuli[0].condition.method.colour_matching
    # A failed stimulus is not written; grey stands in for it, so that the others can be measured.
    images = [image if np.isfinite(image).all() else np.full_like(image, 0.5) for image in result.images]
    pictures = [match_colours(image, item.source, how) for image, item in zip(images, items, strict=True)]
    files = [encode_png(quantise(picture)) for picture in pictures]
    saved = result.measure([as_pixels(_levels(file)) for file in files])
    unmatched = saved if how == "none" else result.measure([as_pixels(quantise(image)) for image in images])
    return _Finished(
        stimuli=stimuli,
        sources=[item.source for item in items],
        result=result,
        pictures=pictures,
        files=files,
        end=result.measure(images),
        unmatched=unmatched,
        saved=saved,
    )


def _write(i: int, finished: _Finished, made: Made, work: Work) -> Failure | None:
    """Write picture, array and trace of a stimulus, and then its record."""
    stimulus, reason = finished.stimuli[i], finished.result.reasons[i]
    if reason == "non_finite":
        return Failure(stimulus, "the loss was not finite, also after starting again from its best point")
    parts = {IMAGES: finished.files[i], TRACES: trace_csv(finished.result.traces[i])}
    if work.output.array:
        parts[ARRAYS] = encode_array(finished.pictures[i])
    files = {
        folder: FileHash(file=file_name(folder, stimulus, work.output), sha256=sha256_bytes(data))
        for folder, data in parts.items()
    }
    for folder, data in parts.items():
        work.store.write(files[folder].file, data)
    levels = _levels(work.store.read(files[IMAGES].file))
    content = Content(
        id=stimulus.id,
        file=files[IMAGES].file,
        sha256=files[IMAGES].sha256,
        pixels_sha256=sha256_bytes(levels.tobytes()),
        array=files.get(ARRAYS),
        trace=files[TRACES],
        source=source_record(
            stimulus.source, _original_sha256(stimulus.source, finished.sources[i], work.store)
        ),
        condition=stimulus.condition.id,
        seed=stimulus.seed,
        numerics=NUMERICS,
        pixels=stimulus.source.recipe,
        schedule=stimulus.condition.method.schedule(stimulus.source.shape[1], stimulus.source.shape[0]),
        **stimulus.condition.recipe,
        network=_networks(finished.result, stimulus),
        parameters=stimulus.condition.method.parameters,
        losses=LossesRecord(
            start=_loss(finished.result.start[i]),
            end=_loss(finished.end[i]),
            saved_before_matching=_loss(finished.unmatched[i]),
            saved=_loss(finished.saved[i]),
        ),
        evaluations=len(finished.result.traces[i]),
        stopped=reason,
        encoding=ENCODING,
    )
    record = Record(content=content, made=made)
    work.store.write(record_name(stimulus.id), json_bytes(record.plain()))
    return None


def trace_csv(trace: Sequence[Traced]) -> bytes:
    """Return a trace as CSV: scale, evaluation, total, every part; numbers in full."""
    names = list(trace[0].losses.parts) if trace else []
    lines = [",".join(["scale", "evaluation", "total", *names])]
    for entry in trace:
        numbers = [entry.losses.total, *entry.losses.parts.values()]
        lines.append(",".join([str(entry.scale), str(entry.evaluation), *map(repr, numbers)]))
    return ("\n".join(lines) + "\n").encode("ascii")


def _levels(file: bytes) -> NDArray[np.uint8]:
    return decode_png(file, Path("picture"))


def _original_sha256(source: PlannedSource, pixels: Pixels, store: Store) -> str:
    """Return the hash of the original's file, which is written again only where it is not `pixels`.

    Another version of zlib would give the same picture in other bytes.
    """
    name, levels = original_name(source), quantise(pixels)
    try:
        data = store.read(name)
        same = np.array_equal(decode_png(data, store.folder / name), levels)
    except StimgenError:
        same = False
    if not same:
        data = encode_png(levels)
        store.write(name, data)
    return sha256_bytes(data)


def _networks(result: Result, stimulus: StimulusPlan) -> list[NetworkRecord]:
    return [
        NetworkRecord(
            name=name, weights_sha256=sha256, validated_with_observers=known.validated, validation=known.note
        )
        for (name, sha256), known in zip(
            result.weights_sha256, stimulus.condition.method.validations(), strict=True
        )
    ]


def _loss(losses: Losses) -> LossRecord:
    return LossRecord(total=losses.total, parts=losses.parts)


def _is_out_of_memory(error: Exception) -> bool:
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or "can't allocate memory" in str(error)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in RECORDED_PACKAGES
    }
