"""Minimises an objective, coarse to fine (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from pydantic import model_validator
from torch import Tensor
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.networks import DeviceSpec, Validation
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import validation_error
from stimgen.reading.papers import Paper
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.memory import predict_tensor_bytes
from stimgen.synthesis.methods.base import Losses, Method, ReferenceInfo, SynthesisBatch, SynthesisRun
from stimgen.synthesis.methods.trace_recorder import TraceRecorder, compute_offsets
from stimgen.synthesis.objective import Objective, load_networks
from stimgen.synthesis.optimisers import find_optimisers
from stimgen.synthesis.optimisers.base import DescentConditions
from stimgen.synthesis.optimisers.plateau import PlateauDetector
from stimgen.synthesis.pyramid import enlarge_images, shrink_images
from stimgen.synthesis.settings import Stage, SynthesisSettings
from stimgen.synthesis.snapshots import SnapshotRecorder
from stimgen.synthesis.source_blend import find_source_blend
from stimgen.synthesis.starts import Start
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures
from stimgen.synthesis.term import Term

RANGE_PART = "range"
# Memory that an evaluation takes on a CPU, relative to the bytes of its tensors (docs/performance.md): the
# rest is gaps between them in the heap.
GAPS = 1.7


class ObjectiveMethod(Method):
    """Minimises a sum of terms, beginning with a start image."""

    papers = ("gatys2015",)

    terms: tuple[Term, ...]
    """What source and stimulus are to have in common."""
    synthesis: SynthesisSettings
    """How the stimulus is optimised."""

    @model_validator(mode="after")
    def _check_noise(self) -> ObjectiveMethod:
        optimiser = self.synthesis.optimiser
        redrawing = [term.statistic.name for term in self.terms if term.statistic.redraws]
        if redrawing and not optimiser.handles_noise:
            raise validation_error(
                f"{redrawing[0]} with `redraw: true` is another function at every evaluation, but "
                f"{optimiser.name!r} compares evaluations",
                at="synthesis",
                hint=f"write `optimiser: {find_optimisers('handles_noise')[0]}`, or `redraw: false`",
            )
        return self

    @override
    def citations(self) -> tuple[str | Paper, ...]:
        targets = [term.target for term in self.terms if term.target is not None]
        return (*self.papers, *("gatys2016" if target.weight == 1.0 else "vacher2020" for target in targets))

    @property
    @override
    def start(self) -> Start:
        return self.synthesis.start

    @property
    @override
    def pictures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.target.picture for term in self.terms if term.target is not None))

    @property
    @override
    def required_packages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for term in self.terms for name in term.network.packages))

    @property
    @override
    def region_files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file for term in self.terms for file in term.regions.files))

    @property
    @override
    def layers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for term in self.terms for name in term.layer_weights))

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        return sum(term.count_parameters(width, height) for term in self.terms)

    @override
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        settings = self.synthesis.recipe() | {
            "method": "objective",
            "start": self.synthesis.start.recipe(known.start_sha256),
        }
        # The schedule, which depends on the size, tells both.
        del settings["scales"], settings["evaluations"]
        return {"terms": [term.recipe(known.pictures) for term in self.terms], "settings": settings}

    @override
    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse a picture with too many regions, or too few positions at its coarsest scale."""
        height, width, _ = shape
        for term in self.terms:
            term.regions.count_regions(width, height)
        schedule = self.schedule(width, height)
        scales, coarsest = len(schedule), schedule[0]
        for term in self.terms:
            _check_sides(term, schedule)
            rows, columns = term.regions.fewest_positions
            for layer in term.layer_weights:
                for side, positions in ((coarsest[0], columns), (coarsest[1], rows)):
                    if term.network.map_side(layer, side) < positions:
                        raise _too_small_error(term, layer, (side, positions, scales))

    @override
    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        return self.synthesis.schedule(width, height)

    @override
    def limit_evaluations(self, evaluations: int) -> ObjectiveMethod:
        return self.replace(synthesis=self.synthesis.replace(evaluations=evaluations))

    @override
    def load(self, device: torch.device) -> None:
        for dtype in self.synthesis.dtypes:
            load_networks(self.terms, DeviceSpec(device, dtype))

    @override
    def estimate_memory(self, width: int, height: int, channels: int) -> int:
        """Return the bytes of an image's tensors at their most, and of what lies unused between them."""
        found = predict_tensor_bytes(self.terms, self.synthesis, (height, width, channels))
        return round(found.held + GAPS * (found.most - found.held))

    @override
    def validations(self) -> list[Validation]:
        return [network.validation() for network in {term.network: None for term in self.terms}]

    @override
    def run(self, batch: SynthesisBatch, device: torch.device) -> SynthesisRun:
        return (yield from _ObjectiveRun(self, batch, device).run())


class _ObjectiveRun:
    """Takes one batch from its start images to the result."""

    def __init__(self, method: ObjectiveMethod, batch: SynthesisBatch, device: torch.device) -> None:
        self._terms, self._settings = method.terms, method.synthesis
        self._batch, self._device = batch, device
        names = [f"term_{i}" for i in range(1, 1 + len(method.terms))]
        snapshots = SnapshotRecorder(batch.snapshots, len(batch.items), self._settings.range.to_pixels)
        self._recorder = TraceRecorder([*names, RANGE_PART], snapshots)
        keys = list(dict.fromkeys(item.source_key for item in batch.items))
        first = {item.source_key: item.source for item in reversed(batch.items)}
        # One image alone is summed in another order than two, so a lone source is measured twice.
        sources = [first[key] for key in keys] * (2 if len(keys) == 1 else 1)
        which = pad_to_slots([keys.index(item.source_key) for item in batch.items], batch.slots)
        self._sources = BatchSources(
            stack_pictures(sources, device),
            torch.tensor(which, device=device),
            tuple(pad_to_slots([item.key for item in batch.items], batch.slots)),
            {name: stack_pictures([pixels] * 2, device) for name, pixels in batch.pictures.items()},
        )

    def run(self) -> SynthesisRun:
        settings, constraint = self._settings, self._settings.range
        stages = settings.stages(*self._sources.size)
        offsets = compute_offsets([((stage.width, stage.height), stage.evaluations) for stage in stages])
        finest = self._make_objective(stages[-1])
        images = self._to_tensor([item.start for item in self._batch.items])
        start = self._recorder.name_losses(finest.measure(images))
        images = self._keep_sources(shrink_images(images, stages[0].width, stages[0].height))
        bounds = constraint.bounds(self._sources.images[self._sources.which])
        for stage, offset in zip(stages, offsets, strict=True):
            objective = finest if stage == stages[-1] else self._make_objective(stage)
            variables = constraint.to_variables(enlarge_images(images, stage.width, stage.height))
            plateau = self._make_detector(variables, begins_scale=offset.before == 0)
            conditions = DescentConditions(bounds, objective.noisy, plateau)
            steps = settings.optimiser.minimise(objective, variables, stage.evaluations, conditions)
            found = constraint.to_pixels((yield from self._recorder.record(steps, offset)))
            images = found if objective.blend is None else objective.blend.apply(found)

        def measure(pictures: Sequence[Pixels]) -> list[Losses]:
            return self._recorder.name_losses(finest.measure(self._to_tensor(pictures)))

        weights = [(network.name, sha256) for network, sha256 in finest.weights_sha256.items()]
        return self._recorder.finish(images, start, measure, weights)

    def _make_objective(self, stage: Stage) -> Objective:
        sources = self._sources.shrink(stage.width, stage.height)
        blend = find_source_blend(self._terms, sources.images[sources.which], self._settings.unmatched)
        return Objective(self._terms, self._settings.range, sources, stage.dtype, blend)

    def _make_detector(self, variables: Tensor, *, begins_scale: bool) -> PlateauDetector | None:
        """Return what finds the pictures that stop in a stage; None if all take all of its evaluations."""
        if self._settings.stop != "plateau":
            return None
        to_pixels = self._settings.range.to_pixels
        if begins_scale:
            return PlateauDetector(to_pixels)
        reasons = pad_to_slots(self._recorder.reasons, self._batch.slots)
        stopped = {row: variables[row] for row, reason in enumerate(reasons) if reason == "plateau"}
        return PlateauDetector(to_pixels, stopped)

    def _keep_sources(self, images: Tensor) -> Tensor:
        """Return start images with the sources where nothing is measured, if they are to stay there."""
        sources = self._sources.shrink(images.shape[3], images.shape[2])
        blend = find_source_blend(self._terms, sources.images[sources.which], self._settings.unmatched)
        return images if blend is None else blend.apply(images)

    def _to_tensor(self, pictures: Sequence[Pixels]) -> Tensor:
        return stack_pictures(pad_to_slots(pictures, self._batch.slots), self._device)


def _check_sides(term: Term, schedule: Sequence[tuple[int, int, int]]) -> None:
    """Refuse a picture with a scale whose sides the network cannot halve."""
    step = term.network.side_step
    for width, height, _ in schedule:
        if width % step or height % step:
            finest = schedule[-1]
            scales = len(schedule)
            here = f", at {width} x {height} pixels, one of its {scales} scales" if scales > 1 else ""
            raise StimgenError(
                f"{finest[0]} x {finest[1]} pixels: {term.network.name} needs sides that are multiples of "
                f"{step}{here}",
                hint=f"choose another `size`: multiples of {step * 2 ** (scales - 1)}"
                + (", or fewer `scales` of the synthesis" if scales > 1 else ""),
            )


def _too_small_error(term: Term, layer: str, found: tuple[int, int, int]) -> StimgenError:
    """Return the error of a picture whose coarsest scale has too few positions, with what would do."""
    side, positions, scales = found
    smallest = term.network.smallest_side(layer, positions) * 2 ** (scales - 1)
    what = f" with {positions} pooling regions" if positions > 1 else ""
    where = f", at the coarsest of its {scales} scales" if scales > 1 else ""
    return StimgenError(
        f"a picture side of {side * 2 ** (scales - 1)} pixels is too small for {layer} of "
        f"{term.network.title}{what}{where}: the smallest is {smallest} pixels",
        hint="or choose fewer `scales`" if scales > 1 else None,
    )
