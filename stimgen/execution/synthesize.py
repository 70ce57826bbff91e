"""Some stimuli, computed at once: from the plan to files of the set."""

from __future__ import annotations

import platform
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata

import torch

from stimgen.execution.device import computing, device_name, processor_name
from stimgen.execution.postprocess import finish
from stimgen.execution.writer import Destination, write_stimulus
from stimgen.images.prepare import Pixels
from stimgen.protocol.plan import StimulusPlan
from stimgen.stimulus_set.record import Made
from stimgen.synthesis.evaluation_network import LoadedJudge
from stimgen.synthesis.methods import Batch, Item, Step

RECORDED_PACKAGES = ("stimgen", "torch", "torchvision", "numpy", "pillow", "scikit-image", "scipy")


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


def make_together(
    stimuli: Sequence[StimulusPlan], slots: int, device: torch.device, destination: Destination
) -> Generator[Step, None, list[Failure]]:
    """Make stimuli of one condition and shape, all at once, and write them.

    Parameters
    ----------
    stimuli : sequence of StimulusPlan
        What to make.
    slots : int
        Images computed at once; no fewer than stimuli.
    device : torch.device
        Where to compute.
    destination : Destination
        Where to write.

    Yields
    ------
    Step
        After each evaluation.

    Returns
    -------
    list of Failure
        Stimuli whose loss was not finite, or that a step was impossible for; the others are written.
    """
    started = datetime.now(UTC)
    sources = {stimulus.source.id: stimulus.source.staged() for stimulus in stimuli}
    items = [stimulus_item(stimulus, sources[stimulus.source.id].pixels) for stimulus in stimuli]
    with computing(device):
        pictures = {picture.id: picture.pixels() for picture in stimuli[0].condition.pictures}
        every = destination.output.snapshots or 0
        batch = Batch(items, slots, device.type == "cpu", pictures, every)
        result = yield from stimuli[0].condition.method.run(batch, device)
        judge = LoadedJudge(destination.judge, device, slots) if destination.judge is not None else None
        finished = finish(result, stimuli, sources, judge)
    packages = stimuli[0].condition.method.packages
    made = _made(started, device, (len(items), slots), packages)
    failures = []
    for i, stimulus in enumerate(stimuli):
        problem = finished.problems[i]
        if problem is None:
            write_stimulus(i, finished, made, destination)
        else:
            failures.append(Failure(stimulus, problem))
    return failures


def stimulus_item(stimulus: StimulusPlan, source: Pixels) -> Item:
    """Return what synthesis needs of a stimulus, given its prepared source."""
    start = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
    key = (stimulus.source.sha256, stimulus.seed)
    return Item(source=source, start=start, source_key=stimulus.source.id, key=key)


def _made(started: datetime, device: torch.device, sizes: tuple[int, int], packages: tuple[str, ...]) -> Made:
    ended = datetime.now(UTC)
    return Made(
        started=_iso(started),
        finished=_iso(ended),
        seconds=round((ended - started).total_seconds(), 3),
        host=platform.node(),
        device=device_name(device),
        processor=processor_name(),
        versions=versions(packages),
        threads=torch.get_num_threads(),
        batch_size=sizes[0],
        slots=sizes[1],
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=8)
def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python, of the packages that have a part in pixels, and of some others."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in (*RECORDED_PACKAGES, *packages)
    }
