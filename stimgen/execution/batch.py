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

from stimgen.execution.device import FEWEST_SLOTS, device_name, reproducibly
from stimgen.execution.labels import original_name
from stimgen.execution.recording import Destination, Finished, write_stimulus
from stimgen.images.colour_matching import match_colours
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png, encode_png, quantise
from stimgen.protocol.plan import Plan, StimulusPlan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import (
    Made,
)
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.methods import Batch, Item, Result, Step

NON_FINITE = "the loss was not finite, also after starting again from its best point"
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
    destination : Destination
        Where stimuli are written, and what of them.
    device : torch.device
        Where to compute.
    batch_size : int
        Stimuli that are made together at the most; on a GPU every batch is padded to it.
    """

    destination: Destination
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
    failures = []
    for i, stimulus in enumerate(stimuli):
        if result.reasons[i] == "non_finite":
            failures.append(Failure(stimulus, NON_FINITE))
        else:
            write_stimulus(i, finished, made, work.destination)
    return failures


def stimulus_item(stimulus: StimulusPlan, source: Pixels) -> Item:
    """Return what synthesis needs of a stimulus, given its prepared source."""
    start = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
    return Item(source=source, start=start, source_key=stimulus.source.id)


def _finish(result: Result, items: Sequence[Item], stimuli: Sequence[StimulusPlan]) -> Finished:
    how = stimuli[0].condition.method.colour_matching
    # A failed stimulus is not written; grey stands in for it, so that the others can be measured.
    images = [image if np.isfinite(image).all() else np.full_like(image, 0.5) for image in result.images]
    pictures = [match_colours(image, item.source, how) for image, item in zip(images, items, strict=True)]
    files = [encode_png(quantise(picture)) for picture in pictures]
    saved = result.measure([as_pixels(decode_png(file, Path("picture"))) for file in files])
    unmatched = saved if how == "none" else result.measure([as_pixels(quantise(image)) for image in images])
    return Finished(
        stimuli=stimuli,
        sources=[item.source for item in items],
        result=result,
        pictures=pictures,
        files=files,
        end=result.measure(images),
        unmatched=unmatched,
        saved=saved,
    )


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
