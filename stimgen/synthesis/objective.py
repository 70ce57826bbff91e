"""The objective of a batch: a weighted sum of terms, with the gradient to every image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import torch
from torch import Tensor

from stimgen.networks import DeviceSpec, FeatureExtractor, Network
from stimgen.statistics import RandomKey, Target
from stimgen.synthesis.ranges import PixelConstraint
from stimgen.synthesis.term import Term

FeatureMaps = Mapping[Network, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Evaluation:
    """The objective at one image each.

    Attributes
    ----------
    parts : Tensor
        Images x (terms + 1): each term's weighted loss, and last the range's cost. Their sum is the loss.
    gradient : Tensor
        Of the sum of `parts` with respect to the variables, in their shape.
    """

    parts: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class BatchSources:
    """What a batch is to be like.

    Attributes
    ----------
    images : Tensor
        Different sources x channels x height x width.
    which : Tensor
        For each image of the batch, the row of its source in `images`.
    keys : tuple
        For each image of the batch the hash of its source and its seed.
    pictures : mapping
        Other pictures that targets name, by their ids: each 2 x channels x height x width, twice the same.
    """

    images: Tensor
    which: Tensor
    keys: tuple[tuple[str, int], ...] = ()
    pictures: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.images.shape[3], self.images.shape[2]


class Objective:
    """The sum of terms, measured against targets that are measured once.

    Parameters
    ----------
    terms : sequence of Term
        What is compared.
    value_range : PixelConstraint
        What pixels the variables stand for, and what it costs where they are out of range.
    sources : BatchSources
        The targets are measured in these.
    dtype : torch.dtype
        What the networks compute in; statistics are never less precise than ``float32``.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        value_range: PixelConstraint,
        sources: BatchSources,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._terms = tuple(terms)
        self._range = value_range
        self._extractors = load_networks(self._terms, DeviceSpec(sources.images.device, dtype))
        self._draw = RandomKey(sources.keys, sources.size)
        self._evaluations = 0
        self._targets = self._measure_targets(sources)
        self._taken: tuple[Tensor, list[dict[str, Target]]] | None = None

    @property
    def noisy(self) -> bool:
        """Whether random numbers are drawn anew for every evaluation, so that losses do not compare."""
        return any(term.statistic.redraws for term in self._terms)

    @property
    def weights_sha256(self) -> dict[Network, str | None]:
        """The hash of the weights in use, for every network; None for one that has none."""
        return {network: extractor.weights_sha256 for network, extractor in self._extractors.items()}

    def __call__(self, variables: Tensor, rows: Tensor) -> Evaluation:
        """Return losses and gradient.

        Parameters
        ----------
        variables : Tensor
            Images x channels x height x width; what pixels they stand for is the range's affair.
        rows : Tensor
            For each image, its place in the batch.
        """
        leaf = variables.detach().requires_grad_(True)
        targets = self._select_targets(rows)
        with torch.enable_grad():
            parts = self._parts(self._range.pixels(leaf), self._drawn(targets, rows, self._evaluations))
            # Images do not touch each other, so the gradient of the sum is every image's own.
            (gradient,) = torch.autograd.grad(parts.sum(), leaf)
        self._evaluations += 1
        return Evaluation(parts.detach(), gradient)

    def measure(self, images: Tensor, rows: Tensor) -> Tensor:
        """Return `parts` of pictures alone; random numbers are those of the first evaluation."""
        with torch.no_grad():
            return self._parts(images, self._drawn(self._select_targets(rows), rows, 0))

    def measure_by_layer(self, images: Tensor, rows: Tensor) -> list[dict[str, Tensor]]:
        """Return every term's loss of pictures layer by layer; their sums are the first of `parts`."""
        with torch.no_grad():
            features = self._features(images)
            drawn = self._drawn(self._select_targets(rows), rows, 0)
            shares = [
                _compute_layer_losses(term, features, targets)
                for term, targets in zip(self._terms, drawn, strict=True)
            ]
        return [
            {name: term.weight * loss for name, loss in losses.items()}
            for term, losses in zip(self._terms, shares, strict=True)
        ]

    def _parts(self, images: Tensor, targets: Sequence[dict[str, Target]]) -> Tensor:
        features = self._features(images)
        losses = [
            _compute_term_loss(term, features, target)
            for term, target in zip(self._terms, targets, strict=True)
        ]
        return torch.stack([*losses, self._range.cost(images)], dim=1)

    def _features(self, images: Tensor) -> FeatureMaps:
        return {
            network: {
                name: maps.to(torch.promote_types(maps.dtype, torch.float32))
                for name, maps in extract(images).items()
            }
            for network, extract in self._extractors.items()
        }

    def _select_targets(self, rows: Tensor) -> list[dict[str, Target]]:
        if self._taken is None or not torch.equal(self._taken[0], rows):
            taken = [{name: t.take(rows) for name, t in targets.items()} for targets in self._targets]
            self._taken = (rows, taken)
        return self._taken[1]

    def _drawn(
        self, targets: list[dict[str, Target]], rows: Tensor, evaluation: int
    ) -> Sequence[dict[str, Target]]:
        """Return the targets, with an evaluation's own random numbers where a statistic wants them."""
        if not self.noisy:
            return targets
        keys = tuple(self._draw.keys[row] for row in rows.tolist())
        draw = replace(self._draw, keys=keys, evaluation=evaluation)
        return [
            term.statistic.finalize_targets(target, draw) if term.statistic.redraws else target
            for term, target in zip(self._terms, targets, strict=True)
        ]

    def _measure_targets(self, sources: BatchSources) -> list[dict[str, Target]]:
        with torch.no_grad():
            features = self._features(sources.images)
            others = {name: self._features(images) for name, images in sources.pictures.items()}
            return [self._measured(term, sources, (features, others)) for term in self._terms]

    def _measured(
        self,
        term: Term,
        sources: BatchSources,
        features: tuple[FeatureMaps, Mapping[str, FeatureMaps]],
    ) -> dict[str, Target]:
        """Return the targets of a term for every image of the batch."""
        own, others = features
        poolings = term.poolings(*sources.size)
        found = term.statistic.targets(_select_layers(term, own), poolings)
        if term.target is not None:
            there = term.statistic.targets(_select_layers(term, others[term.target.picture]), poolings)
            nought = torch.zeros(len(sources.images), dtype=torch.long, device=sources.images.device)
            way = (
                term.statistic.interpolate_on_geodesic
                if term.target.along == "wasserstein"
                else term.statistic.interpolate
            )
            found = {
                name: way(target, there[name].take(nought), term.target.weight)
                for name, target in found.items()
            }
        found = {name: target.take(sources.which) for name, target in found.items()}
        return found if term.statistic.redraws else term.statistic.finalize_targets(found, self._draw)


def load_networks(terms: Sequence[Term], place: DeviceSpec) -> dict[Network, FeatureExtractor]:
    """Return the networks of all terms, each loaded once for all the layers that terms need of it.

    Raises
    ------
    StimgenError
        Weights are missing, or not what they should be.
    """
    layers: dict[Network, frozenset[str]] = {}
    for term in terms:
        layers[term.network] = layers.get(term.network, frozenset()) | set(term.layer_weights)
    return {network: _load_network(network, needed, place) for network, needed in layers.items()}


@lru_cache(maxsize=8)
def _load_network(network: Network, layers: frozenset[str], place: DeviceSpec) -> FeatureExtractor:
    return network.load(layers, place)


def _select_layers(term: Term, features: FeatureMaps) -> dict[str, Tensor]:
    return {name: features[term.network][name] for name in term.layer_weights}


def _compute_term_loss(term: Term, features: FeatureMaps, targets: dict[str, Target]) -> Tensor:
    losses = _compute_layer_losses(term, features, targets)
    return term.weight * torch.stack(list(losses.values()), dim=1).sum(1)


def _compute_layer_losses(term: Term, features: FeatureMaps, targets: dict[str, Target]) -> dict[str, Tensor]:
    distances = term.statistic.distances(_select_layers(term, features), targets)
    return {name: term.layer_weights[name] * distance for name, distance in distances.items()}
