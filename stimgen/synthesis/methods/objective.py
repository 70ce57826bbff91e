"""Synthesis by minimising an objective, coarse to fine (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from pydantic import model_validator
from torch import Tensor

from stimgen.images.prepare import Pixels
from stimgen.networks import DeviceSpec, Network, Validation
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import validation_error
from stimgen.reading.papers import Paper
from stimgen.synthesis.methods.base import (
    Losses,
    Method,
    ReferenceInfo,
    SynthesisBatch,
    SynthesisResult,
    SynthesisStep,
)
from stimgen.synthesis.methods.trace_recorder import StageOffset, TraceRecorder
from stimgen.synthesis.objective import BatchSources, Objective, load_networks
from stimgen.synthesis.optimisers import find_optimisers
from stimgen.synthesis.optimisers.base import Budget
from stimgen.synthesis.pyramid import enlarge_images, shrink_images
from stimgen.synthesis.settings import Stage, SynthesisSettings
from stimgen.synthesis.snapshots import SnapshotRecorder
from stimgen.synthesis.starts import Start
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures, unstack_pictures
from stimgen.synthesis.term import Term

RANGE_PART = "range"
BYTES_PER_NUMBER = 4

# Measured: tensors as large as the largest maps while gradients go back; numbers for each parameter, of
# targets, of what is compared with them, and of their differences; and what lies unused between tensors.
GRADIENTS, GAPS = 2.4, 1.5


class ObjectiveMethod(Method):
    """Minimise a sum of terms from a start image."""

    papers = ("gatys2015",)

    terms: tuple[Term, ...]
    """What source and stimulus shall have in common."""
    synthesis: SynthesisSettings
    """How the stimulus is optimised."""

    @model_validator(mode="after")
    def _check_noise(self) -> ObjectiveMethod:
        optimiser = self.synthesis.optimiser
        drawing = [term.statistic.name for term in self.terms if term.statistic.redraws]
        if drawing and not optimiser.bears_noise:
            bearing = find_optimisers("bears_noise")
            raise validation_error(
                f"{drawing[0]} with `redraw: true` is another function at every evaluation, and "
                f"{optimiser.name!r} compares evaluations",
                at="synthesis",
                hint=f"write `optimiser: {bearing[0]}`, or `redraw: false`",
            )
        return self

    def citations(self) -> tuple[str | Paper, ...]:
        """Return who first minimised such an objective, and who took other pictures for targets."""
        aims = [term.target for term in self.terms if term.target is not None]
        return (*self.papers, *("gatys2016" if aim.weight == 1.0 else "vacher2020" for aim in aims))

    @property
    def start(self) -> Start:
        """Where the synthesis begins."""
        return self.synthesis.start

    @property
    def pictures(self) -> tuple[str, ...]:
        """The pictures that the terms' targets name."""
        return tuple(dict.fromkeys(term.target.picture for term in self.terms if term.target is not None))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of all terms."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.layer_weights))

    def parameters(self, width: int, height: int) -> int:
        """Return the number of parameters that describe a source, over all terms."""
        return sum(term.parameters(width, height) for term in self.terms)

    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return the terms, written out, and the settings."""
        settings = self.synthesis.to_dict() | {
            "method": "objective",
            "start": self.synthesis.start.recipe(known.start_sha256),
        }
        # What these two stand for depends on the size, and is told by the schedule.
        del settings["scales"], settings["evaluations"]
        return {"terms": [term.recipe(known.pictures) for term in self.terms], "settings": settings}

    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse a picture with too many regions, or too few positions at its coarsest scale."""
        height, width, _ = shape
        for term in self.terms:
            term.regions.count_regions(width, height)
        schedule = self.schedule(width, height)
        scales, coarsest = len(schedule), schedule[0]
        for term in self.terms:
            for layer, rows, columns in term.position_needs():
                for side, positions in ((coarsest[0], columns), (coarsest[1], rows)):
                    if term.network.map_side(layer, side) < positions:
                        raise _too_small_error(term, layer, (side, positions, scales))

    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return width, height and evaluations of every scale, from coarse to fine."""
        return self.synthesis.schedule(width, height)

    def limit_evaluations(self, evaluations: int) -> ObjectiveMethod:
        """Return it with so many evaluations at every scale."""
        return self.replace(synthesis=self.synthesis.replace(evaluations=evaluations))

    def load(self, device: torch.device) -> None:
        """Load the networks; they are remembered for `run`."""
        for dtype in self.synthesis.dtypes:
            load_networks(self.terms, DeviceSpec(device, dtype))

    def memory(self, width: int, height: int, channels: int) -> int:
        """Return an estimate of the bytes that one image needs: maps, gradients, corrections, targets."""
        layers: dict[Network, set[str]] = {}
        for term in self.terms:
            layers.setdefault(term.network, set()).update(term.layer_weights)
        activations = [
            size
            for network, names in layers.items()
            for size in network.activation_sizes(names, width, height)
        ]
        corrections = self.synthesis.optimiser.vectors * width * height * channels
        # Statistics are done with when the gradients of the largest maps are made: only one of them counts.
        working = sum(term.count_working_numbers(width, height) for term in self.terms)
        passing = max(GRADIENTS * max(activations), working)
        return round(GAPS * BYTES_PER_NUMBER * (sum(activations) + corrections + passing))

    def validations(self) -> list[Validation]:
        """Return what is known of every network in use."""
        return [network.validation() for network in {term.network: None for term in self.terms}]

    def run(
        self, batch: SynthesisBatch, device: torch.device
    ) -> Generator[SynthesisStep, None, SynthesisResult]:
        """Make a batch of stimuli, yielding after each evaluation."""
        return (yield from _ObjectiveRun(self, batch, device).steps())


class _ObjectiveRun:
    """One batch on its way from start to result."""

    def __init__(self, method: ObjectiveMethod, batch: SynthesisBatch, device: torch.device) -> None:
        self._method = method
        self._batch = batch
        self._device = device
        self._album = SnapshotRecorder(batch.snapshots, len(batch.items))
        names = [f"term_{i}" for i in range(1, 1 + len(method.terms))]
        self._trail = TraceRecorder(len(batch.items), [*names, RANGE_PART])
        keys = list(dict.fromkeys(item.source_key for item in batch.items))
        first = {item.source_key: item.source for item in reversed(batch.items)}
        # One image alone is summed in another order than two, so a lone source is measured twice.
        sources = [first[key] for key in keys] * (2 if len(keys) == 1 else 1)
        self._sources = stack_pictures(sources, device)
        self._pictures = {
            name: stack_pictures([pixels] * 2, device) for name, pixels in batch.pictures.items()
        }
        self._keys = tuple(pad_to_slots([item.key for item in batch.items], batch.slots))
        which = [keys.index(item.source_key) for item in batch.items]
        self._which = torch.tensor(pad_to_slots(which, batch.slots), device=device)

    def steps(self) -> Generator[SynthesisStep, None, SynthesisResult]:
        height, width = self._sources.shape[-2:]
        stages = self._method.synthesis.stages(width, height)
        total = sum(stage.evaluations for stage in stages)
        finest = self._objective(stages[-1])
        rows = torch.arange(len(self._which), device=self._device)
        images = self._tensor([item.start for item in self._batch.items])
        start = self._trail.losses(finest.measure(images, rows))
        images = shrink_images(images, stages[0].width, stages[0].height)
        value_range = self._method.synthesis.range
        bounds = value_range.bounds(self._sources[self._which])
        done = 0
        for stage, place in _add_offsets(stages):
            objective = finest if stage == stages[-1] else self._objective(stage)
            budget = Budget(stage.evaluations, self._batch.shrink, objective.noisy, bounds)
            begin = value_range.variables(enlarge_images(images, stage.width, stage.height))
            evaluate = self._album.watching(objective, value_range.pixels)
            minimising = self._method.synthesis.optimiser.minimise(evaluate, begin, budget)
            leg = StageOffset(*place, done, total)
            images = value_range.pixels((yield from self._trail.along(minimising, leg, self._album.take)))
            done += stage.evaluations
        self._album.close()
        return SynthesisResult(
            images=unstack_pictures(images[: len(self._batch.items)]),
            start=start,
            traces=self._trail.traces,
            reasons=self._trail.reasons,
            measure=partial(self._measure, finest, rows),
            weights_sha256=[(net.name, sha) for net, sha in finest.weights_sha256.items()],
            snapshots=self._album.pages,
        )

    def _objective(self, stage: Stage) -> Objective:
        size = stage.width, stage.height
        pictures = {name: shrink_images(picture, *size) for name, picture in self._pictures.items()}
        sources = BatchSources(shrink_images(self._sources, *size), self._which, self._keys, pictures)
        return Objective(self._method.terms, self._method.synthesis.range, sources, stage.dtype)

    def _measure(self, objective: Objective, rows: Tensor, images: Sequence[Pixels]) -> list[Losses]:
        return self._trail.losses(objective.measure(self._tensor(images), rows))

    def _tensor(self, pictures: Sequence[Pixels]) -> Tensor:
        return stack_pictures(pad_to_slots(pictures, self._batch.slots), self._device)


def _add_offsets(stages: Sequence[Stage]) -> Iterator[tuple[Stage, tuple[int, int]]]:
    """Yield every stage with its scale, from 0, and the evaluations before it at that scale."""
    scale, before, size = -1, 0, (0, 0)
    for stage in stages:
        if (stage.width, stage.height) != size:
            scale, before, size = scale + 1, 0, (stage.width, stage.height)
        yield stage, (scale, before)
        before += stage.evaluations


def _too_small_error(term: Term, layer: str, found: tuple[int, int, int]) -> StimgenError:
    """Return the error of a picture whose coarsest scale has too few positions, with what would do."""
    side, positions, scales = found
    smallest = term.network.smallest_side(layer, positions) * 2 ** (scales - 1)
    what = f" with {positions} pooling regions" if positions > 1 else ""
    where = f", at the coarsest of its {scales} scales" if scales > 1 else ""
    return StimgenError(
        f"a picture side of {side * 2 ** (scales - 1)} pixels is too small for {layer} of {term.network.name}"
        f"{what}{where}: the smallest is {smallest} pixels",
        hint="or choose fewer `scales`" if scales > 1 else None,
    )
