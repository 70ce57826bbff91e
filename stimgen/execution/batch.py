"""Turns a batch of planned stimuli into files of the set: the unit of work, wherever it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from stimgen.execution.context import RunContext
from stimgen.execution.labels import original_name
from stimgen.execution.memory import is_out_of_memory, out_of_memory_error, predict_bytes
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.slots import MIN_SLOTS, BatchSizeRule, limit_slots
from stimgen.execution.synthesize import Failure, synthesize_batch
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.errors import StimgenError, raise_together
from stimgen.reading.generators import run_generator
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.methods import SynthesisStep

Stimuli = Sequence[PlannedStimulus]


def form_batches(stimuli: Stimuli, size: int | BatchSizeRule) -> list[list[PlannedStimulus]]:
    """Return `stimuli` in batches of one method and one shape, in their order.

    `size` is how many a batch has at most, or the function from a shape to that number.
    """
    rule = size if callable(size) else lambda _: size
    groups: dict[tuple[str, tuple[int, int, int]], list[PlannedStimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault((stimulus.condition.id, stimulus.source.shape), []).append(stimulus)
    sizes = [rule(shape) for _, shape in groups]
    return [
        group[i : i + most]
        for group, most in zip(groups.values(), sizes, strict=True)
        for i in range(0, len(group), most)
    ]


def check_sources(plan: ProtocolPlan, store: Store) -> None:
    """Prepare every source that the set does not have, so that a bad one is found before anything is written.

    Raises `StimgenError` with all sources that cannot be used, also because a step after synthesis is
    impossible for one that is black, say, or flat.
    """
    errors = []
    for _, source in _missing_originals(plan, store):
        try:
            _check_source(plan, source)
        except StimgenError as error:
            errors.append(error)
    raise_together(errors)


def _check_source(plan: ProtocolPlan, source: PlannedSource) -> None:
    pixels = source.pixels()
    for condition in plan.conditions:
        if source in condition.sources:
            condition.after.finish(pixels, source, pixels)


def write_originals(plan: ProtocolPlan, store: Store) -> None:
    """Prepare every source and write it to the set.

    Raises `StimgenError` if a source cannot be used, or the set cannot be written.
    """
    for name, source in _missing_originals(plan, store):
        store.write(name, source.encode(source.pixels()))


def _missing_originals(plan: ProtocolPlan, store: Store) -> list[tuple[str, PlannedSource]]:
    # Not their pixels: those of all sources together may be more than the memory holds.
    output = plan.loaded.protocol.output
    named = [(original_name(source, output), source) for source in (*plan.sources, *plan.references)]
    return [(name, source) for name, source in named if not store.has(name)]


def run_batch(stimuli: Stimuli, context: RunContext, progress: RunProgress, report: ProgressCallback) -> None:
    """Make stimuli of one condition and shape, write them, and report after each evaluation.

    Where the memory is too small, they are made a few at a time: on a CPU that changes no bit of them;
    elsewhere the number of slots can, and their records tell it. Stimuli that could not be made are added to
    the failures of `progress`, the others are written.

    Raises `StimgenError` if a source changed, weights are missing, the disk is full, or the memory is too
    small for two stimuli.
    """
    done, failures = 0, list[Failure]()
    progress.under_way, progress.loss = 0.0, math.nan
    while done < len(stimuli):
        slots = _count_slots(stimuli[done:], context)
        part = stimuli[done : done + slots]

        def follow(step: SynthesisStep, before: int = done, count: int = len(part)) -> None:
            finite = step.losses[np.isfinite(step.losses)]
            progress.loss = float(finite.mean()) if finite.size else math.nan
            progress.under_way = before + count * step.evaluation / step.total
            report(progress)

        failed = _try_synthesis(part, slots, context, follow)
        if failed is None:
            progress.under_way, progress.loss = done, math.nan
            progress.notices.append(_halve_memory(part[0], slots, context))
            report(progress)
        else:
            failures += failed
            done += len(part)
    progress.failures += failures
    progress.made += len(stimuli) - len(failures)
    progress.under_way = 0.0
    report(progress)


def _count_slots(stimuli: Stimuli, context: RunContext) -> int:
    """Return how many images are computed at once, of stimuli of one condition and shape."""
    # On a CPU the number changes no bits, so that nothing need be padded.
    kind = context.device.type
    wanted = len(stimuli) if kind == "cpu" else context.find_batch_size(stimuli[0].source.shape)
    if wanted <= MIN_SLOTS:  # as usual on a CPU; a process' first prediction takes a second
        return MIN_SLOTS
    bytes_each = predict_bytes(stimuli[0])
    return context.memory.slots(limit_slots(kind, wanted, bytes_each), bytes_each)


def _try_synthesis(
    stimuli: Stimuli, slots: int, context: RunContext, follow: Callable[[SynthesisStep], None]
) -> list[Failure] | None:
    """Make stimuli all at once and return those that failed; None if the memory holds only fewer."""
    try:
        return run_generator(synthesize_batch(stimuli, slots, context), follow)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if slots == MIN_SLOTS:
            raise out_of_memory_error(stimuli[0], context.device) from error
    if context.device.type == "cuda":
        # Only here, because the error holds on to everything that was under way.
        torch.cuda.empty_cache()
    return None


def _halve_memory(stimulus: PlannedStimulus, slots: int, context: RunContext) -> str:
    """Remember that so many slots are too many, and return what the user is told."""
    context.memory.halve(slots, predict_bytes(stimulus))
    fewer = context.memory.slots(slots, predict_bytes(stimulus))
    what = f"{slots} stimuli of {stimulus.condition.id!r} at once"
    return f"not enough memory on {context.device} for {what}: going on with {fewer}"
