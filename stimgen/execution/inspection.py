"""Makes one stimulus and measures what the model sees of it and of its source, layer by layer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from stimgen.drawing.layers import LayerMaps
from stimgen.execution.device import reproducible_computation
from stimgen.execution.postprocess import NON_FINITE
from stimgen.execution.slots import MIN_SLOTS
from stimgen.execution.synthesize import stimulus_item
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels
from stimgen.networks import DeviceSpec
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisResult, SynthesisStep
from stimgen.synthesis.objective import Objective, load_networks
from stimgen.synthesis.pyramid import shrink_images
from stimgen.synthesis.snapshots import Snapshot
from stimgen.synthesis.tensors import stack_pictures


@dataclass(frozen=True, eq=False)
class Inspection:
    """Holds what the model sees of a stimulus and of its source."""

    source: Pixels
    synthesis: Pixels
    """The pictures as the model sees them, before any step after the synthesis."""
    result: SynthesisResult
    """Traces and snapshots."""
    maps: list[LayerMaps]
    """The maps of every layer that the objective measures."""
    losses: dict[str, list[float]]
    """The share of the loss of every layer at every snapshot, by the layer's name."""


def inspect_stimulus(
    stimulus: PlannedStimulus, method: ObjectiveMethod, every: int, device: torch.device
) -> Generator[SynthesisStep, None, Inspection]:
    """Make a stimulus with its method, keep a snapshot every `every` evaluations, and measure its layers.

    Raises `StimgenError` if weights are missing or the loss is not finite.
    """
    source = stimulus.source.pixels()
    pictures = {picture.id: picture.pixels() for picture in stimulus.condition.pictures}
    item = stimulus_item(stimulus, source)
    with reproducible_computation(device):
        batch = SynthesisBatch([item], MIN_SLOTS, pictures, every)
        result = yield from method.run(batch, device)
        if result.reasons[0] == "non_finite":
            raise StimgenError(f"{stimulus.name} could not be made: {NON_FINITE}")
        twice = {key: _duplicate(picture, device) for key, picture in pictures.items()}
        inspector = _LayerInspector(method, _duplicate(source, device), twice)
        maps = inspector.compare_maps(_duplicate(result.images[0], device))
        losses = inspector.measure_losses(result.snapshots_of(0), item.key)
        return Inspection(source, result.images[0], result, maps, losses)


@dataclass(frozen=True)
class _LayerInspector:
    """Measures the layers of a method's networks; pictures are batches of two."""

    method: ObjectiveMethod
    source: Tensor
    pictures: dict[str, Tensor]

    def compare_maps(self, synthesis: Tensor) -> list[LayerMaps]:
        """Return the maps of source and synthesis in every layer in use."""
        found = []
        for network, extract in load_networks(self.method.terms, DeviceSpec(self.source.device)).items():
            with torch.no_grad():
                both = [extract(images) for images in (self.source, synthesis)]
            for layer in both[0]:
                source, made = (maps[layer][0].cpu().double().numpy() for maps in both)
                found.append(LayerMaps(network.name, layer, source, made))
        return found

    def measure_losses(self, snapshots: list[Snapshot], key: tuple[str, int]) -> dict[str, list[float]]:
        """Return every layer's share of the loss at the snapshots, by the layer's name."""
        height, width = self.source.shape[-2:]
        sizes = [(w, h) for w, h, _ in self.method.schedule(width, height)]
        objectives = [self._objective(size, key) for size in sizes]
        found: dict[str, list[float]] = {}
        for snapshot in snapshots:
            images = _duplicate(as_pixels(snapshot.levels), self.source.device)
            rows = torch.arange(2, device=self.source.device)
            for name, losses in self._name_losses(objectives[snapshot.scale].measure_by_layer(images, rows)):
                found.setdefault(name, []).append(float(losses[0]))
        return found

    def _objective(self, size: tuple[int, int], key: tuple[str, int]) -> Objective:
        pictures = {name: shrink_images(picture, *size) for name, picture in self.pictures.items()}
        rows = torch.arange(2, device=self.source.device)
        sources = BatchSources(shrink_images(self.source, *size), rows, (key, key), pictures)
        return Objective(self.method.terms, self.method.synthesis.range, sources)

    def _name_losses(self, shares: list[dict[str, Tensor]]) -> list[tuple[str, Tensor]]:
        several = len(shares) > 1
        return [
            (f"term {i}: " * several + f"{term.network.name} {layer}", losses)
            for i, (term, layers) in enumerate(zip(self.method.terms, shares, strict=True), start=1)
            for layer, losses in layers.items()
        ]


def _duplicate(pixels: Pixels, device: torch.device) -> Tensor:
    """Return a picture as a batch of two, because a single one is summed in another order."""
    return stack_pictures([pixels] * 2, device)
