"""Makes textures with the joint statistics of a steerable pyramid (Portilla & Simoncelli 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.networks.plenoptic_package import PACKAGE, import_plenoptic
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Number, OddInteger
from stimgen.synthesis.methods.base import Losses, Method, ReferenceInfo, SynthesisBatch, SynthesisRun
from stimgen.synthesis.methods.trace_recorder import TraceRecorder, compute_offsets
from stimgen.synthesis.optimisers import AnyOptimiser
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.plenoptic_model import PlenopticModel, PortillaSimoncelliObjective
from stimgen.synthesis.snapshots import SnapshotRecorder
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures

PARTS = ("statistics", "range")
BYTES_PER_NUMBER = 8
# Measured: planes as large as the picture while gradients go back through the pyramid, and of them for each
# orientation.
PLANES, PLANES_AN_ORIENTATION = 12, 33


class PortillaSimoncelli(Method):
    """Makes textures with the joint statistics of a steerable pyramid, by the plenoptic package; grey only.

    Portilla & Simoncelli 2000, International Journal of Computer Vision 40: 49-70.
    """

    phrase = "the texture model of Portilla and Simoncelli"
    papers = ("portilla2000", "duong2023")

    name: Literal["portilla_simoncelli"] = "portilla_simoncelli"
    packages: ClassVar[tuple[str, ...]] = (PACKAGE,)
    scales: Annotated[Integer, Field(ge=1, le=8)] = 4
    """Octaves of the steerable pyramid."""
    orientations: Annotated[Integer, Field(ge=2, le=16)] = 4
    """Orientations of the steerable pyramid."""
    neighbourhood: Annotated[OddInteger, Field(ge=3, le=31)] = 7
    """Side of the square of shifts of all autocorrelations: an odd number, 7 in the paper."""
    coarse_to_fine: Annotated[Integer, Field(ge=0, le=1_000_000)] = 7
    """Evaluations of each step from the coarsest statistics to all but the finest; 0: all at once."""
    budget: Annotated[Integer, Field(ge=1, le=1_000_000)] = 200
    """Evaluations after these steps, with all statistics."""
    optimiser: AnyOptimiser = Field(default_factory=Lbfgs)
    """What lowers the loss."""
    range_penalty: Annotated[Number, Field(ge=0.0)] = 0.1
    """Weight of the summed squared excess of pixels outside [0, 1]."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return scales, orientations and neighbourhood."""
        return self.scales, self.orientations, self.neighbourhood

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        """Return the number of statistics, each counted once: 710 with 4 scales, 4 orientations and 7."""
        scales, orientations = self.scales, self.orientations
        shifts = (self.neighbourhood**2 - 1) // 2
        pixels, marginals, finest = 6, 3 * (scales + 1), 1
        autocorrelations = shifts * (scales * orientations + scales + 1)
        magnitudes = scales * orientations * (orientations + 1) // 2
        across = 3 * (scales - 1) * orientations**2
        return pixels + marginals + finest + autocorrelations + magnitudes + across

    @override
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return the model and how its statistics are matched; the schedule lists evaluations."""
        named = {"method": self.name, "start": self.start.to_dict()}
        settings = self.model_dump(mode="json", exclude={"name", "coarse_to_fine", "budget"})
        return {"terms": [], "settings": named | settings}

    @override
    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse colour, and sides that the pyramid cannot halve or whose coarsest scale is too small."""
        height, width, channels = shape
        if channels != 1:
            raise StimgenError(
                "the source is in colour, and the statistics of Portilla & Simoncelli are of grey pictures",
                hint="write `channels: grey` in the source, or in `preparation` for all",
            )
        step = 2**self.scales
        smallest = step * (self.neighbourhood + 1)
        if height % step or width % step or min(height, width) < smallest:
            raise StimgenError(
                f"{width} x {height} pixels: with {self.scales} scales and a neighbourhood of "
                f"{self.neighbourhood}, sides must be multiples of {step}, the smallest {smallest}",
                hint="choose another `size`, or fewer `scales`",
            )

    @override
    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return the evaluations of each step from coarse to fine, and of the rest; the size stays."""
        steps = [self.coarse_to_fine] * (self.scales + 2 if self.coarse_to_fine else 0)
        return [(width, height, count) for count in (*steps, self.budget)]

    @override
    def limit_evaluations(self, evaluations: int) -> PortillaSimoncelli:
        return self.replace(budget=evaluations, coarse_to_fine=evaluations if self.coarse_to_fine else 0)

    @override
    def load(self, device: torch.device) -> None:
        """Find the package, and refuse a device without float64."""
        import_plenoptic(f"the method `{self.name}`")
        if device.type == "mps":
            raise StimgenError(
                f"`{self.name}` needs float64, which {device} lacks", hint="use `--device cpu`"
            )

    @override
    def estimate_memory(self, width: int, height: int, channels: int) -> int:
        planes = PLANES + PLANES_AN_ORIENTATION * self.orientations + self.optimiser.vectors
        return BYTES_PER_NUMBER * width * height * channels * planes

    @override
    def run(self, batch: SynthesisBatch, device: torch.device) -> SynthesisRun:
        self.load(device)
        return (yield from _PortillaSimoncelliRun(self, batch, device).run())


class _PortillaSimoncelliRun:
    """Takes one batch from its start images to the result."""

    def __init__(self, method: PortillaSimoncelli, batch: SynthesisBatch, device: torch.device) -> None:
        self._method, self._batch, self._device = method, batch, device
        height, width, _ = batch.items[0].source.shape
        self._model = PlenopticModel((height, width), method.shape, device)
        sources = {item.source_key: item.source for item in batch.items}
        targets = {key: self._model.measure_target(self._to_tensor([p])) for key, p in sources.items()}
        self._objective = PortillaSimoncelliObjective(
            self._model, [targets[item.source_key] for item in batch.items], method.range_penalty
        )
        self._recorder = TraceRecorder(PARTS, SnapshotRecorder(batch.snapshots, len(batch.items)))

    def run(self) -> SynthesisRun:
        starts = [item.start for item in self._batch.items]
        start = self._measure(starts)
        images = self._to_tensor(pad_to_slots(starts, self._batch.slots))
        height, width = images.shape[-2:]
        counts = [count for _, _, count in self._method.schedule(width, height)]
        steps = [*self._model.coarse_to_fine_scales(), None][-len(counts) :]
        offsets = compute_offsets(list(enumerate(counts)))
        for scales, count, offset in zip(steps, counts, offsets, strict=True):
            objective = replace(self._objective, scales=scales)
            images = yield from self._recorder.record(
                self._method.optimiser.minimise(objective, images, count), offset
            )
        return self._recorder.finish(images, start, self._measure)

    def _measure(self, images: Sequence[Pixels]) -> list[Losses]:
        rows = torch.arange(len(images))
        return self._recorder.name_losses(self._objective(self._to_tensor(images), rows).parts)

    def _to_tensor(self, pictures: Sequence[Pixels]) -> Tensor:
        return stack_pictures(pictures, self._device).double()
