"""Computes the objective of a batch, a weighted sum of terms, with its gradient to every image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from stimgen.computation.threads import one_thread
from stimgen.networks import DeviceSpec, FeatureExtractor, Network
from stimgen.statistics import RandomKey, Target
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.lone_image import LoneImageEvaluator
from stimgen.synthesis.ranges import PixelConstraint
from stimgen.synthesis.source_blend import SourceBlend
from stimgen.synthesis.tensors import are_in_order
from stimgen.synthesis.term import Term

FeatureMaps = Mapping[Network, Mapping[str, Tensor]]
Targets = dict[str, Target]


class Objective:
    """Sums terms that compare images with targets, which are measured once, in the sources.

    Called with variables, it returns every image's loss and gradient: what an optimiser needs.

    Parameters
    ----------
    terms : sequence of Term
        Which statistics of which features are compared.
    constraint : PixelConstraint
        Which pixels the variables stand for, and the cost of pixels out of range.
    sources : BatchSources
        The pictures to resemble.
    dtype : torch.dtype
        What the networks compute in; statistics are never less precise than ``float32``.
    blend : SourceBlend, optional
        What keeps the sources where nothing is measured.

    Raises
    ------
    StimgenError
        Weights of a network are missing or wrong.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        constraint: PixelConstraint,
        sources: BatchSources,
        dtype: torch.dtype = torch.float32,
        blend: SourceBlend | None = None,
    ) -> None:
        self.blend = blend
        self._terms = tuple(terms)
        self._constraint = constraint
        self._extractors = load_networks(self._terms, DeviceSpec(sources.images.device, dtype))
        self._random_key = RandomKey(sources.keys, sources.size)
        self._evaluations = 0
        self._count = len(sources.which)
        self._targets = self._measure_targets(sources)
        self._lone = self._make_lone_evaluator(sources)
        self._places: Tensor | None = None
        self._selected: tuple[Tensor, list[Targets], tuple[tuple[str, int], ...]] | None = None

    @property
    def noisy(self) -> bool:
        """Return whether every evaluation draws its own random numbers, so that losses cannot be compared."""
        return any(term.statistic.redraws for term in self._terms)

    @property
    def weights_sha256(self) -> dict[Network, str | None]:
        """Return the hash of every network's weights in use; None for a network without weights."""
        return {network: extractor.weights_sha256 for network, extractor in self._extractors.items()}

    def __call__(self, variables: Tensor, rows: Tensor | None = None) -> Evaluation:
        """Return losses and gradient.

        Parameters
        ----------
        variables : Tensor
            Images x channels x height x width, at least two images; the pixel constraint turns them into
            pixels.
        rows : Tensor, optional
            For each image, its place in the batch; in order if left out.
        """
        if self._lone is None:
            return self._evaluate(variables, rows)
        return self._lone.evaluate(self._evaluate, variables, rows)

    def _make_lone_evaluator(self, sources: BatchSources) -> LoneImageEvaluator | None:
        """Return what leaves out images that need not be computed; None where that could change bits."""
        stable = all(term.statistic.stable_alone for term in self._terms)
        if sources.images.device.type != "cpu" or self.noisy or not stable:
            return None
        same = len(set(sources.keys)) == 1 and bool((sources.which == sources.which[0]).all())
        return LoneImageEvaluator(twins=same)

    def _evaluate(self, variables: Tensor, rows: Tensor | None) -> Evaluation:
        leaf = variables.detach().requires_grad_(True)
        targets = self._draw_targets(rows, leaf, self._evaluations)
        with self._limit_threads(), torch.enable_grad():
            pixels = self._constraint.to_pixels(leaf)
            if self.blend is not None:
                pixels = self.blend.apply(pixels, rows)
            parts = self._compute_parts(pixels, targets)
            # Images do not touch each other, so the gradient of the sum is every image's own.
            (gradient,) = torch.autograd.grad(parts.sum(), leaf)
        self._evaluations += 1
        return Evaluation(parts.detach(), gradient)

    def measure(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the `parts` of pixels alone, with the random numbers of the first evaluation."""
        with self._limit_threads(), torch.no_grad():
            return self._compute_parts(images, self._draw_targets(rows, images, 0))

    def measure_by_layer(self, images: Tensor, rows: Tensor | None = None) -> list[dict[str, Tensor]]:
        """Return every term's loss of pixels layer by layer; their sums are the first of `parts`."""
        with self._limit_threads(), torch.no_grad():
            losses = self._compute_layer_losses(images, self._draw_targets(rows, images, 0))
            return [
                {name: term.weight * loss for name, loss in layers.items()}
                for term, layers in zip(self._terms, losses, strict=True)
            ]

    def _limit_threads(self) -> AbstractContextManager[None]:
        alone = any(term.statistic.in_one_thread for term in self._terms)
        return one_thread() if alone else nullcontext()

    def _compute_parts(self, images: Tensor, targets: Sequence[Targets]) -> Tensor:
        losses = [
            term.weight * torch.stack(list(layers.values()), dim=1).sum(1)
            for term, layers in zip(self._terms, self._compute_layer_losses(images, targets), strict=True)
        ]
        return torch.stack([*losses, self._constraint.cost(images)], dim=1)

    def _compute_layer_losses(self, images: Tensor, targets: Sequence[Targets]) -> list[dict[str, Tensor]]:
        """Return every term's distances from its targets, weighted by layer but not by term."""
        features, losses = self._extract_features(images), []
        for term, wanted in zip(self._terms, targets, strict=True):
            distances = term.statistic.distances(_select_layers(term, features), wanted)
            losses.append({name: term.layer_weights[name] * found for name, found in distances.items()})
        return losses

    def _extract_features(self, images: Tensor) -> FeatureMaps:
        return {
            network: {
                name: maps.to(torch.promote_types(maps.dtype, torch.float32))
                for name, maps in extract(images).items()
            }
            for network, extract in self._extractors.items()
        }

    def _draw_targets(self, rows: Tensor | None, images: Tensor, evaluation: int) -> list[Targets]:
        """Return the targets of some images, with new random numbers for statistics that redraw."""
        rows = self._number_images(images) if rows is None else rows
        _, selected, keys = self._select_targets(rows)
        if not self.noisy:
            return selected
        key = replace(self._random_key, keys=keys, evaluation=evaluation)
        return [
            term.statistic.finalize_targets(targets, key) if term.statistic.redraws else targets
            for term, targets in zip(self._terms, selected, strict=True)
        ]

    def _number_images(self, images: Tensor) -> Tensor:
        """Return the places of a whole batch, as the same tensor every time."""
        known = self._places
        if known is None or len(known) != len(images) or known.device != images.device:
            self._places = known = torch.arange(len(images), device=images.device)
        return known

    def _select_targets(self, rows: Tensor) -> tuple[Tensor, list[Targets], tuple[tuple[str, int], ...]]:
        """Return the targets and random keys of some images, chosen anew only if they are others."""
        known = self._selected
        # Optimisers hand over the same tensor again and again: comparing numbers would wait for a GPU.
        if known is not None and known[0] is rows:
            return known
        selected = self._targets
        # A copy of all targets would be as large as they are, which counts in many regions.
        if not are_in_order(rows, self._count):
            selected = [{name: t.take(rows) for name, t in targets.items()} for targets in selected]
        keys = tuple(self._random_key.keys[row] for row in rows.tolist()) if self.noisy else ()
        self._selected = known = (rows, selected, keys)
        return known

    def _measure_targets(self, sources: BatchSources) -> list[Targets]:
        with self._limit_threads(), torch.no_grad():
            features = self._extract_features(sources.images)
            others = {name: self._extract_features(images) for name, images in sources.pictures.items()}
            return [self._measure_term_targets(term, sources, features, others) for term in self._terms]

    def _measure_term_targets(
        self, term: Term, sources: BatchSources, features: FeatureMaps, others: Mapping[str, FeatureMaps]
    ) -> Targets:
        """Return the targets of a term for every image of the batch."""
        statistic, poolings = term.statistic, term.poolings(*sources.size)
        found = statistic.targets(_select_layers(term, features), poolings)
        if term.target is not None:
            there = statistic.targets(_select_layers(term, others[term.target.picture]), poolings)
            zeros = torch.zeros(len(sources.images), dtype=torch.long, device=sources.images.device)
            geodesic = term.target.along == "wasserstein"
            mix = statistic.interpolate_on_geodesic if geodesic else statistic.interpolate
            found = {
                name: mix(target, there[name].take(zeros), term.target.weight)
                for name, target in found.items()
            }
        found = {name: target.take(sources.which) for name, target in found.items()}
        return found if statistic.redraws else statistic.finalize_targets(found, self._random_key)


def load_networks(terms: Sequence[Term], place: DeviceSpec) -> dict[Network, FeatureExtractor]:
    """Return the networks of all terms, each loaded once for all the layers that terms need of it.

    Raises
    ------
    StimgenError
        Weights are missing or wrong.
    """
    return {network: load_network(network, layers, place) for network, layers in group_layers(terms).items()}


def group_layers(terms: Sequence[Term]) -> dict[Network, frozenset[str]]:
    """Return all the layers that terms need of each network."""
    layers: dict[Network, frozenset[str]] = {}
    for term in terms:
        layers[term.network] = layers.get(term.network, frozenset()) | set(term.layer_weights)
    return layers


@lru_cache(maxsize=8)
def load_network(network: Network, layers: frozenset[str], place: DeviceSpec) -> FeatureExtractor:
    """Return a network for these layers, which is kept for the next call; raises as `load_networks`."""
    return network.load(layers, place)


def _select_layers(term: Term, features: FeatureMaps) -> dict[str, Tensor]:
    return {name: features[term.network][name] for name in term.layer_weights}
