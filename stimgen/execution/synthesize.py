"""Computes some stimuli at once and writes them to the set."""

from __future__ import annotations

import platform
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib import metadata

import torch

from stimgen.execution.context import RunContext
from stimgen.execution.device import device_name, processor_name, reproducible_computation
from stimgen.execution.postprocess import postprocess
from stimgen.execution.writer import write_stimulus
from stimgen.images.prepare import Pixels
from stimgen.protocol.plan import PlannedStimulus
from stimgen.stimulus_set.record import Provenance
from stimgen.synthesis.evaluation_network import LoadedEvaluationNetwork
from stimgen.synthesis.methods import SynthesisBatch, SynthesisItem, SynthesisStep

RECORDED_PACKAGES = ("stimgen", "torch", "torchvision", "numpy", "pillow", "scikit-image", "scipy")


@dataclass(frozen=True)
class Failure:
    """Names a stimulus that could not be made, and the reason."""

    stimulus: PlannedStimulus
    reason: str


def synthesize_batch(
    stimuli: Sequence[PlannedStimulus], slots: int, context: RunContext
) -> Generator[SynthesisStep, None, list[Failure]]:
    """Make stimuli of one condition and shape, all at once, and write them.

    Parameters
    ----------
    stimuli : sequence of PlannedStimulus
        The stimuli to make.
    slots : int
        The number of images computed at once; no fewer than stimuli.
    context : RunContext
        The run that they belong to.

    Yields
    ------
    SynthesisStep
        After each evaluation.

    Returns
    -------
    list of Failure
        Stimuli whose loss was not finite, or for which a step was impossible; the others are written.
    """
    started, device, method = datetime.now(UTC), context.device, stimuli[0].condition.method
    sources = {stimulus.source.id: stimulus.source.stage() for stimulus in stimuli}
    items = [stimulus_item(stimulus, sources[stimulus.source.id].pixels) for stimulus in stimuli]
    with reproducible_computation(device):
        pictures = {picture.id: picture.pixels() for picture in stimuli[0].condition.pictures}
        batch = SynthesisBatch(items, slots, pictures, context.output.snapshots or 0)
        result = yield from method.run(batch, device)
        judge = LoadedEvaluationNetwork(context.judge, device, slots) if context.judge else None
        prove = partial(context.prover.prove, slots=slots) if context.prover else None
        processed = postprocess(result, stimuli, sources, judge, prove)
    made = _describe_production(started, device, (len(items), slots), method.required_packages)
    failures = []
    for i, (stimulus, problem) in enumerate(zip(stimuli, processed.problems, strict=True)):
        if problem is None:
            write_stimulus(i, processed, made, context)
        else:
            failures.append(Failure(stimulus, problem))
    return failures


def stimulus_item(stimulus: PlannedStimulus, source: Pixels) -> SynthesisItem:
    """Return what synthesis needs of a stimulus, given its prepared source."""
    start = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
    key = (stimulus.source.sha256, stimulus.seed)
    return SynthesisItem(source=source, start=start, source_key=stimulus.source.id, key=key)


def _describe_production(
    started: datetime, device: torch.device, sizes: tuple[int, int], packages: tuple[str, ...]
) -> Provenance:
    ended = datetime.now(UTC)
    began, finished = (moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in (started, ended))
    return Provenance(
        started=began,
        finished=finished,
        seconds=round((ended - started).total_seconds(), 3),
        host=platform.node(),
        device=device_name(device),
        processor=processor_name(),
        versions=package_versions(packages),
        threads=torch.get_num_threads(),
        batch_size=sizes[0],
        slots=sizes[1],
    )


@lru_cache(maxsize=8)
def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python, of the packages that affect pixels, and of those that are named."""
    recorded = {name: metadata.version(name) for name in (*RECORDED_PACKAGES, *packages)}
    return {"python": platform.python_version()} | recorded
