"""Measures activations of pictures, and the null distribution of a network with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stimgen.execution.proof.null_distribution import LayerNull
from stimgen.execution.proof.null_pictures import NullPairs
from stimgen.execution.proof.similarity import ActivationVector, Similarity, Vector
from stimgen.images.prepare import Pixels
from stimgen.networks import Classifier, FeatureExtractor
from stimgen.stimulus_set.quality import round_significant
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures

GROUP_BYTES = 2**28
"""Activations of all pictures that are held at once, unless a single layer has more."""
BYTES_PER_NUMBER = 4


class ActivationReader:
    """Measures activations of pictures on a device, `slots` of them at once."""

    def __init__(self, extract: FeatureExtractor, device: torch.device, slots: int) -> None:
        self._extract, self._device = extract, device
        self._slots = max(2, slots)  # one alone is summed in another order

    def read(self, pictures: Sequence[Pixels], layers: Sequence[str]) -> Iterator[dict[str, Vector]]:
        """Yield the activations of every picture: a flat vector for each layer."""
        for images, count in self._stack(pictures):
            with torch.no_grad():
                maps = self._extract(images)
                found = {name: maps[name].float().flatten(1).cpu().numpy() for name in layers}
            for i in range(count):
                # Copied, so that nothing of the others is kept.
                yield {name: values[i].copy() for name, values in found.items()}

    def name_classes(self, pictures: Sequence[Pixels], classifier: Classifier | None) -> list[str | None]:
        """Return the likeliest class of every picture; None without a classifier."""
        if classifier is None:
            return [None] * len(pictures)
        names: list[str | None] = []
        for images, count in self._stack(pictures):
            with torch.no_grad():
                best = classifier(images).argmax(1).tolist()
            names += [classifier.classes[i] for i in best[:count]]
        return names

    def _stack(self, pictures: Sequence[Pixels]) -> Iterator[tuple[Tensor, int]]:
        """Yield batches of pictures, padded to the slots, with the number of pictures in each."""
        for start in range(0, len(pictures), self._slots):
            batch = pictures[start : start + self._slots]
            yield stack_pictures(pad_to_slots(batch, self._slots), self._device), len(batch)

    def measure_null(self, chosen: NullPairs, sizes: Mapping[str, int]) -> dict[str, LayerNull]:
        """Return what unrelated pictures have in each layer, whose numbers of activations are given.

        Raises `StimgenError` if a picture cannot be read.
        """
        pictures = [picture.read() for picture in chosen.pictures]
        found: dict[str, LayerNull] = {}
        for group in _group_layers(sizes, BYTES_PER_NUMBER * len(pictures)):
            activations = list(self.read(pictures, group))
            for name in group:
                vectors = [ActivationVector(one.pop(name)) for one in activations]
                found[name] = _compare_pairs(vectors, chosen.pairs)
        return found


def _group_layers(sizes: Mapping[str, int], factor: int) -> Iterator[list[str]]:
    """Yield layers whose activations are held together."""
    group: list[str] = []
    for name, size in sizes.items():
        if group and factor * (sum(sizes[one] for one in group) + size) > GROUP_BYTES:
            yield group
            group = []
        group.append(name)
    yield group


def _compare_pairs(vectors: Sequence[ActivationVector], pairs: Sequence[tuple[int, int]]) -> LayerNull:
    found = [_define(vectors[i].compare(vectors[j])) for i, j in pairs]
    pearson, spearman, snr, distance = zip(*found, strict=True)
    return LayerNull(pearson=pearson, spearman=spearman, snr=snr, distance=distance)


def _define(found: Similarity) -> tuple[float, ...]:
    """Return numbers for all measures; as Feather et al. (2023), what is not defined is no similarity."""
    nothing = (0.0, 0.0, 0.0, 1.0)
    rounded = map(round_significant, found)
    return tuple(none if value is None else value for value, none in zip(rounded, nothing, strict=True))
