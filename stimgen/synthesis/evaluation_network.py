"""A network that is asked how like its source a synthesis looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError, model_validator
from torch import Tensor

from stimgen.images.prepare import Pixels
from stimgen.networks import AnyNetwork, DeviceSpec, FeatureExtractor
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Text, repeat_error
from stimgen.synthesis.objective import load_networks
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures
from stimgen.synthesis.term import Term

GramMatrices = list[NDArray[np.float64]]


class EvaluationNetwork(Model):
    """A network that compares stimuli with their sources; best one that took no part in making them."""

    network: AnyNetwork
    """What turns pictures into feature maps."""
    depth: Text | None = None
    """Cumulative layers by their deepest. Instead of `layers`."""
    layers: tuple[Text, ...] | None = None
    """A list of layers. Instead of `depth`."""

    @model_validator(mode="after")
    def _check_layers(self) -> EvaluationNetwork:
        try:
            _ = self.term
        except ValidationError as error:
            # The network was validated before, so that only Term's own check can fail.
            raise repeat_error(error) from None
        return self

    @property
    def term(self) -> Term:
        """The layers that are looked at."""
        return Term(network=self.network, depth=self.depth, layers=self.layers)

    @property
    def names(self) -> list[str]:
        """The layers, shallow to deep."""
        return list(self.term.layer_weights)

    def sees(self, width: int, height: int) -> bool:
        """Return whether every layer has positions in a picture of this size."""
        sides = (self.network.map_side(name, side) for name in self.names for side in (width, height))
        return min(sides) > 0

    def check(self, width: int, height: int) -> None:
        """Refuse a picture in which a layer has no position.

        Raises
        ------
        StimgenError
            With the smallest side that would do.
        """
        if not self.sees(width, height):
            smallest = max(self.network.smallest_side(name) for name in self.names)
            raise StimgenError(
                f"{width} x {height} pixels are too few for the judge {self.network.name}: "
                f"its layers need {smallest}"
            )

    def load(self, device: torch.device) -> FeatureExtractor:
        """Return the network, which is remembered.

        Raises
        ------
        StimgenError
            Weights are missing, or not what they should be.
        """
        (extract,) = load_networks([self.term], DeviceSpec(device)).values()
        return extract


class EvaluationScores(NamedTuple):
    """What a judge thinks of a picture; 0 is no difference."""

    score: float
    """Mean over layers of |G - H| / |H| (Frobenius norms): G, H the Gram matrices F F^T / positions of the
    feature maps, uncentred, of the picture and of its source."""
    halves: float
    """The same between the left and the right half of the source, each taken for the source of the other
    once, and averaged; NaN where they are too small for the network."""


class LoadedEvaluationNetwork:
    """A judge at work.

    Parameters
    ----------
    judge : EvaluationNetwork
        Who judges.
    device : torch.device
        Where to compute.
    slots : int
        How many pictures are looked at together: at least two, because one alone is summed in another order.

    Raises
    ------
    StimgenError
        Weights are missing, or not what they should be.
    """

    def __init__(self, judge: EvaluationNetwork, device: torch.device, slots: int) -> None:
        self.settings = judge
        self._device, self._slots = device, max(2, slots)
        self._extract = judge.load(device)

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use."""
        return self._extract.weights_sha256

    def score_pictures(
        self, pictures: Sequence[Pixels], keys: Sequence[str], sources: Mapping[str, Pixels]
    ) -> list[EvaluationScores]:
        """Return an opinion of every picture.

        Parameters
        ----------
        pictures : sequence of Pixels
            Height x width x channels, [0, 1], of one shape.
        keys : sequence of str
            Which source each was made from.
        sources : mapping
            The sources, of the pictures' shape.
        """
        wanted = dict(zip(sources, self._grams(list(sources.values())), strict=True))
        halves = dict(zip(sources, self._compare_halves(list(sources.values())), strict=True))
        found = self._grams(pictures)
        return [
            EvaluationScores(_mean_relative_difference(grams, wanted[key]), halves[key])
            for grams, key in zip(found, keys, strict=True)
        ]

    def _compare_halves(self, sources: Sequence[Pixels]) -> list[float]:
        height, width, _ = sources[0].shape
        half = width // 2
        if not self.settings.sees(half, height):
            return [float("nan")] * len(sources)
        left = self._grams([source[:, :half] for source in sources])
        right = self._grams([source[:, -half:] for source in sources])
        return [
            (_mean_relative_difference(a, b) + _mean_relative_difference(b, a)) / 2
            for a, b in zip(left, right, strict=True)
        ]

    def _grams(self, pictures: Sequence[Pixels]) -> list[GramMatrices]:
        """Return the Gram matrices of all layers of every picture."""
        return [grams for batch in self._batches(pictures) for grams in self._compute_batch_grams(batch)]

    def _batches(self, pictures: Sequence[Pixels]) -> Iterator[Sequence[Pixels]]:
        for i in range(0, len(pictures), self._slots):
            yield pictures[i : i + self._slots]

    def _compute_batch_grams(self, pictures: Sequence[Pixels]) -> Iterator[GramMatrices]:
        with torch.no_grad():
            features = self._extract(stack_pictures(pad_to_slots(pictures, self._slots), self._device))
            layers = [_grams(features[name]) for name in self.settings.names]
        for i in range(len(pictures)):
            yield [layer[i] for layer in layers]


def _grams(maps: Tensor) -> NDArray[np.float64]:
    """Return the Gram matrix of every picture: batch x channels x channels."""
    flat = maps.float().flatten(2)
    found: NDArray[np.float64] = torch.bmm(flat, flat.transpose(1, 2)).cpu().numpy().astype(np.float64)
    return found / flat.shape[2]


def _mean_relative_difference(found: GramMatrices, wanted: GramMatrices) -> float:
    """Return the mean relative error; NaN where the source has nothing in a layer."""
    norms = [(_frobenius_norm(a - b), _frobenius_norm(b)) for a, b in zip(found, wanted, strict=True)]
    return float(np.mean([error / norm if norm > 0 else float("nan") for error, norm in norms]))


def _frobenius_norm(matrix: NDArray[np.float64]) -> float:
    return float(np.sqrt((matrix**2).sum()))
