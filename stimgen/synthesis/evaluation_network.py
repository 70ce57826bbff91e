"""Scores how much a synthesised picture resembles its source, by a separate network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

GramMatrices = list[NDArray[np.float64]]  # of one picture, one a layer


class EvaluationNetwork(Model):
    """Compares stimuli with their sources, by a network that best took no part in making them."""

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
        """Return the layers to compare, as a term."""
        return Term(network=self.network, depth=self.depth, layers=self.layers)

    @property
    def names(self) -> list[str]:
        """Return the layers to compare, shallow to deep."""
        return list(self.term.layer_weights)

    def fits(self, width: int, height: int) -> bool:
        """Return whether every layer has positions in a picture of this size."""
        return all(self.network.map_side(name, side) > 0 for name in self.names for side in (width, height))

    def check(self, width: int, height: int) -> None:
        """Refuse, by `StimgenError`, a picture in which a layer has no position."""
        if not self.fits(width, height):
            smallest = max(self.network.smallest_side(name) for name in self.names)
            raise StimgenError(
                f"{width} x {height} pixels are too few for the judge {self.network.title}: "
                f"its layers need {smallest}"
            )

    def load(self, device: torch.device) -> FeatureExtractor:
        """Return the network, which is cached; raise `StimgenError` if weights are missing or wrong."""
        (extract,) = load_networks([self.term], DeviceSpec(device)).values()
        return extract


class EvaluationScores(NamedTuple):
    """Holds how much a picture differs from its source; 0 is no difference."""

    score: float
    """Mean over layers of |G - H| / |H| (Frobenius norms): G, H the Gram matrices F F^T / positions of the
    feature maps, uncentred, of the picture and of its source."""
    halves: float
    """The same between the left and the right half of the source, averaged over both directions; NaN if the
    halves are too small for the network."""


class LoadedEvaluationNetwork:
    """Scores pictures on a device, `slots` of them at once; raises as `EvaluationNetwork.load`."""

    def __init__(self, settings: EvaluationNetwork, device: torch.device, slots: int) -> None:
        self.settings = settings
        self._device, self._slots = device, max(2, slots)  # one alone is summed in another order
        self._extract = settings.load(device)

    @property
    def weights_sha256(self) -> str | None:
        """Return the hash of the weights in use."""
        return self._extract.weights_sha256

    def score_pictures(
        self, pictures: Sequence[Pixels], keys: Sequence[str], sources: Mapping[str, Pixels]
    ) -> list[EvaluationScores]:
        """Return the scores of every picture, given the key of its source in `sources`.

        All are height x width x channels, range [0, 1], of one shape.
        """
        wanted = dict(zip(sources, self._compute_grams(list(sources.values())), strict=True))
        halves = dict(zip(sources, self._compare_halves(list(sources.values())), strict=True))
        found = self._compute_grams(pictures)
        return [
            EvaluationScores(_mean_relative_difference(grams, wanted[key]), halves[key])
            for grams, key in zip(found, keys, strict=True)
        ]

    def _compare_halves(self, sources: Sequence[Pixels]) -> list[float]:
        height, width, _ = sources[0].shape
        half = width // 2
        if not self.settings.fits(half, height):
            return [float("nan")] * len(sources)
        left = self._compute_grams([source[:, :half] for source in sources])
        right = self._compute_grams([source[:, -half:] for source in sources])
        return [
            (_mean_relative_difference(a, b) + _mean_relative_difference(b, a)) / 2
            for a, b in zip(left, right, strict=True)
        ]

    def _compute_grams(self, pictures: Sequence[Pixels]) -> list[GramMatrices]:
        """Return the Gram matrices of all layers of every picture."""
        found: list[GramMatrices] = []
        for start in range(0, len(pictures), self._slots):
            batch = pictures[start : start + self._slots]
            with torch.no_grad():
                features = self._extract(stack_pictures(pad_to_slots(batch, self._slots), self._device))
                layers = [_compute_layer_grams(features[name]) for name in self.settings.names]
            found += [[layer[i] for layer in layers] for i in range(len(batch))]
        return found


def _compute_layer_grams(maps: Tensor) -> NDArray[np.float64]:
    """Return the Gram matrix of every picture: batch x channels x channels."""
    flat = maps.float().flatten(2)
    found: NDArray[np.float64] = torch.bmm(flat, flat.transpose(1, 2)).cpu().numpy().astype(np.float64)
    return found / flat.shape[2]


def _mean_relative_difference(found: GramMatrices, wanted: GramMatrices) -> float:
    """Return the mean relative error over layers; NaN if a layer of the source is all zeros."""
    norms = [(_frobenius_norm(a - b), _frobenius_norm(b)) for a, b in zip(found, wanted, strict=True)]
    return float(np.mean([error / norm if norm > 0 else float("nan") for error, norm in norms]))


def _frobenius_norm(matrix: NDArray[np.float64]) -> float:
    return float(np.sqrt((matrix**2).sum()))
