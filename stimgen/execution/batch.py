"""One batch: from planned stimuli to files of the set. The unit of work, wherever it runs."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch

from stimgen.execution.device import MIN_SLOTS
from stimgen.execution.labels import original_name
from stimgen.execution.memory import (
    MemoryLimit,
    is_out_of_memory,
    out_of_memory_error,
    predict_bytes,
    release_cached_memory,
)
from stimgen.execution.synthesize import Failure, synthesize_batch
from stimgen.execution.writer import Destination
from stimgen.images.prepare import Pixels
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.schema import OutputSettings
from stimgen.reading.generators import map_generator
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.methods import SynthesisStep

T = TypeVar("T")


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
    room : MemoryLimit
        What is known of the device's memory.
    """

    destination: Destination
    device: torch.device
    batch_size: int
    room: MemoryLimit = field(default_factory=MemoryLimit)

    def slots(self, stimuli: Sequence[PlannedStimulus]) -> int:
        """Return how many images are computed at once, of stimuli of one condition and shape."""
        # On a CPU the number changes no bits, so that nothing need be padded.
        wanted = len(stimuli) if self.device.type == "cpu" else self.batch_size
        return self.room.slots(max(MIN_SLOTS, wanted), predict_bytes(stimuli[0]))


@dataclass(frozen=True)
class Advance:
    """How far a batch has come.

    Attributes
    ----------
    fraction : float
        How much of it is done.
    loss : float
        Mean loss of the stimuli under way.
    notice : str or None
        What the user should know.
    """

    fraction: float
    loss: float = math.nan
    notice: str | None = None


def form_batches(stimuli: Sequence[PlannedStimulus], size: int) -> list[list[PlannedStimulus]]:
    """Return `stimuli` in batches of one method and one shape, in their order."""
    groups: dict[tuple[str, tuple[int, int, int]], list[PlannedStimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault((stimulus.condition.id, stimulus.source.shape), []).append(stimulus)
    return [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]


def check_sources(plan: ProtocolPlan, store: Store) -> None:
    """Prepare every source that the set does not have, so that a bad one is found before anything is written.

    Raises
    ------
    StimgenError
        A source cannot be used.
    """
    for source in _missing_originals(plan, store):
        _refuse_impossible(plan, source, source.pixels())


def write_originals(plan: ProtocolPlan, store: Store) -> None:
    """Prepare every source and write it to the set.

    Raises
    ------
    StimgenError
        A source cannot be used, or the set cannot be written.
    """
    for source in _missing_originals(plan, store):
        store.write(original_name(source, _output(plan)), source.encode(source.pixels()))


def _missing_originals(plan: ProtocolPlan, store: Store) -> list[PlannedSource]:
    # Not their pixels: those of all sources together may be more than the memory holds.
    every = (*plan.sources, *plan.references)
    return [source for source in every if not store.has(original_name(source, _output(plan)))]


def _output(plan: ProtocolPlan) -> OutputSettings:
    return plan.loaded.protocol.output


def _refuse_impossible(plan: ProtocolPlan, source: PlannedSource, pixels: Pixels) -> None:
    """Refuse steps after synthesis that are impossible for the source itself: black, say, or flat."""
    for condition in plan.conditions:
        if source in condition.sources:
            condition.after.finish(pixels, source, pixels)


def run_batch(stimuli: Sequence[PlannedStimulus], work: Work) -> Generator[Advance, None, list[Failure]]:
    """Make stimuli of one condition and shape and write them, yielding after each evaluation.

    Where the memory does not suffice, they are made a few at a time: on a CPU that changes no bit of them;
    elsewhere the number of slots can, and their records tell it.

    Returns
    -------
    list of Failure
        Stimuli whose loss was not finite; the others are written.

    Raises
    ------
    StimgenError
        A source changed, weights are missing, the disk is full, the memory does not suffice for two.
    """
    done = 0
    failures: list[Failure] = []
    while done < len(stimuli):
        slots = work.slots(stimuli[done:])
        part = stimuli[done : done + slots]
        failed = yield from _advancing(_try_synthesis(part, slots, work), (done, len(part), len(stimuli)))
        if failed is None:
            work.room.halve(slots, predict_bytes(part[0]))
            yield Advance(done / len(stimuli), notice=_describe_reduction(part[0], slots, work))
        else:
            failures += failed
            done += len(part)
    return failures


def _try_synthesis(
    stimuli: Sequence[PlannedStimulus], slots: int, work: Work
) -> Generator[SynthesisStep, None, list[Failure] | None]:
    """Make stimuli all at once and return those that failed; None if the memory holds only fewer."""
    try:
        return (yield from synthesize_batch(stimuli, slots, work.device, work.destination))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if slots == MIN_SLOTS:
            raise out_of_memory_error(stimuli[0], work.device) from error
    # Only here, because the error holds on to everything that was under way.
    release_cached_memory(work.device)
    return None


def _advancing(
    steps: Generator[SynthesisStep, None, T], place: tuple[int, int, int]
) -> Generator[Advance, None, T]:
    """Pass on steps of some stimuli as those of all: how many there were before, are these, will be."""
    before, count, whole = place

    def advance(step: SynthesisStep) -> Advance:
        finite = step.losses[np.isfinite(step.losses)]
        loss = float(finite.mean()) if finite.size else math.nan
        return Advance((before + count * step.evaluation / step.total) / whole, loss)

    return map_generator(steps, advance)


def _describe_reduction(stimulus: PlannedStimulus, slots: int, work: Work) -> str:
    fewer = work.room.slots(slots, predict_bytes(stimulus))
    what = f"{slots} stimuli of {stimulus.condition.id!r} at once"
    return f"not enough memory on {work.device} for {what}: going on with {fewer}"
