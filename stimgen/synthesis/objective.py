"""The objective of a batch: a weighted sum of terms, with the gradient to every image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stimgen.networks import FeatureExtractor, Network, Place
from stimgen.statistics import Target
from stimgen.synthesis.term import Term


@dataclass(frozen=True)
class Evaluation:
    """The objective at one image each.

    Attributes
    ----------
    parts : Tensor
        Images x (terms + 1): each term's weighted loss, and last the range penalty. Their sum is the loss.
    gradient : Tensor
        Of the sum of `parts`, in the shape of the images.
    """

    parts: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class Sources:
    """What a batch is to be like.

    Attributes
    ----------
    images : Tensor
        Different sources x channels x height x width.
    which : Tensor
        For each image of the batch, the row of its source in `images`.
    """

    images: Tensor
    which: Tensor


class Objective:
    """The sum of terms, measured against targets that are measured once.

    Parameters
    ----------
    terms : sequence of Term
        What is compared.
    range_penalty : float
        Weight of the mean squared excess of pixels outside [0, 1].
    sources : Sources
        The targets are measured in these.
    dtype : torch.dtype
        What the networks compute in; statistics are never less precise than ``float32``.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        range_penalty: float,
        sources: Sources,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._terms = tuple(terms)
        self._range_penalty = range_penalty
        self._extractors = load_networks(self._terms, Place(sources.images.device, dtype))
        self._targets = self._measure_targets(sources)
        self._taken: tuple[Tensor, list[dict[str, Target]]] | None = None

    @property
    def weights_sha256(self) -> dict[Network, str | None]:
        """The hash of the weights in use, for every network; None for one that has none."""
        return {network: extractor.weights_sha256 for network, extractor in self._extractors.items()}

    def __call__(self, images: Tensor, rows: Tensor) -> Evaluation:
        """Return losses and gradient.

        Parameters
        ----------
        images : Tensor
            Images x channels x height x width.
        rows : Tensor
            For each image, its place in the batch.
        """
        leaf = images.detach().requires_grad_(True)
        with torch.enable_grad():
            parts = self._parts(leaf, rows)
            # Images do not touch each other, so the gradient of the sum is every image's own.
            (gradient,) = torch.autograd.grad(parts.sum(), leaf)
        return Evaluation(parts.detach(), gradient)

    def measure(self, images: Tensor, rows: Tensor) -> Tensor:
        """Return `parts` alone."""
        with torch.no_grad():
            return self._parts(images, rows)

    def _parts(self, images: Tensor, rows: Tensor) -> Tensor:
        targets = self._targets_of(rows)
        features = self._features(images)
        losses = [
            _term_loss(term, features[term.network], target)
            for term, target in zip(self._terms, targets, strict=True)
        ]
        outside = torch.relu(-images) + torch.relu(images - 1.0)
        losses.append(self._range_penalty * outside.square().flatten(1).mean(1))
        return torch.stack(losses, dim=1)

    def _features(self, images: Tensor) -> dict[Network, dict[str, Tensor]]:
        return {
            network: {
                name: maps.to(torch.promote_types(maps.dtype, torch.float32))
                for name, maps in extract(images).items()
            }
            for network, extract in self._extractors.items()
        }

    def _targets_of(self, rows: Tensor) -> list[dict[str, Target]]:
        if self._taken is None or not torch.equal(self._taken[0], rows):
            taken = [{name: t.take(rows) for name, t in targets.items()} for targets in self._targets]
            self._taken = (rows, taken)
        return self._taken[1]

    def _measure_targets(self, sources: Sources) -> list[dict[str, Target]]:
        with torch.no_grad():
            features = self._features(sources.images)
            return [
                {
                    name: term.statistic.target(features[term.network][name], term.regions).take(
                        sources.which
                    )
                    for name in term.layer_weights
                }
                for term in self._terms
            ]


def load_networks(terms: Sequence[Term], place: Place) -> dict[Network, FeatureExtractor]:
    """Return the networks of all terms, each loaded once for all the layers that terms need of it.

    Raises
    ------
    StimgenError
        Weights are missing, or not what they should be.
    """
    layers: dict[Network, frozenset[str]] = {}
    for term in terms:
        layers[term.network] = layers.get(term.network, frozenset()) | set(term.layer_weights)
    return {network: _load(network, needed, place) for network, needed in layers.items()}


@lru_cache(maxsize=8)
def _load(network: Network, layers: frozenset[str], place: Place) -> FeatureExtractor:
    return network.load(layers, place)


def _term_loss(term: Term, features: dict[str, Tensor], targets: dict[str, Target]) -> Tensor:
    distances = [
        weight * term.statistic.distance(features[name], targets[name])
        for name, weight in term.layer_weights.items()
    ]
    return term.weight * torch.stack(distances, dim=1).sum(1)
