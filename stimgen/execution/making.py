"""Some stimuli, computed at once: from the plan to files of the set."""

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

from stimgen.execution.device import device_name, reproducibly
from stimgen.execution.recording import Destination, Finished, write_stimulus
from stimgen.images.colour_matching import match_colours
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png, encode_png, quantise
from stimgen.protocol.plan import StimulusPlan
from stimgen.stimulus_set.record import LossesRecord, LossRecord, Made
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
        Stimuli whose loss was not finite; the others are written.
    """
    started = datetime.now(UTC)
    sources = {stimulus.source.id: stimulus.source.pixels() for stimulus in stimuli}
    items = [stimulus_item(stimulus, sources[stimulus.source.id]) for stimulus in stimuli]
    with reproducibly(device):
        pictures = {picture.id: picture.pixels() for picture in stimuli[0].condition.pictures}
        batch = Batch(items, slots, shrink=device.type == "cpu", pictures=pictures)
        result = yield from stimuli[0].condition.method.run(batch, device)
        finished = _finish(result, items, stimuli)
    made = _made(started, device, (len(items), slots))
    failures = []
    for i, stimulus in enumerate(stimuli):
        if result.reasons[i] == "non_finite":
            failures.append(Failure(stimulus, NON_FINITE))
        else:
            write_stimulus(i, finished, made, destination)
    return failures


def stimulus_item(stimulus: StimulusPlan, source: Pixels) -> Item:
    """Return what synthesis needs of a stimulus, given its prepared source."""
    start = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
    key = (stimulus.source.sha256, stimulus.seed)
    return Item(source=source, start=start, source_key=stimulus.source.id, key=key)


def _finish(result: Result, items: Sequence[Item], stimuli: Sequence[StimulusPlan]) -> Finished:
    how = stimuli[0].condition.method.colour_matching
    # A failed stimulus is not written; grey stands in for it, so that the others can be measured.
    images = [image if np.isfinite(image).all() else np.full_like(image, 0.5) for image in result.images]
    pictures = [match_colours(image, item.source, how) for image, item in zip(images, items, strict=True)]
    files = [encode_png(quantise(picture)) for picture in pictures]
    return Finished(
        stimuli=stimuli,
        sources=[item.source for item in items],
        result=result,
        pictures=pictures,
        files=files,
        losses=_losses(result, images, files, matched=how != "none"),
    )


def _losses(
    result: Result, images: list[Pixels], files: list[bytes], *, matched: bool
) -> list[LossesRecord | None]:
    """Return every loss of every stimulus; None where no objective is minimised."""
    if result.start is None or result.measure is None:
        return [None] * len(images)
    end = result.measure(images)
    saved = result.measure([as_pixels(decode_png(file, Path("picture"))) for file in files])
    unmatched = result.measure([as_pixels(quantise(image)) for image in images]) if matched else saved
    stages = zip(result.start, end, unmatched, saved, strict=True)
    keys = ("start", "end", "saved_before_matching", "saved")
    return [
        LossesRecord(
            **{key: LossRecord(total=at.total, parts=at.parts) for key, at in zip(keys, four, strict=True)}
        )
        for four in stages
    ]


def _made(started: datetime, device: torch.device, sizes: tuple[int, int]) -> Made:
    ended = datetime.now(UTC)
    return Made(
        started=_iso(started),
        finished=_iso(ended),
        seconds=round((ended - started).total_seconds(), 3),
        host=platform.node(),
        device=device_name(device),
        versions=_versions(),
        threads=torch.get_num_threads(),
        batch_size=sizes[0],
        slots=sizes[1],
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in RECORDED_PACKAGES
    }
