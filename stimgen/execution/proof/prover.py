"""Proves metamers: compares a batch with its sources, and with the null distribution of its network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from stimgen.execution.proof.activations import ActivationReader
from stimgen.execution.proof.null_distribution import (
    FIRST,
    MEDIAN,
    NullDistribution,
    describe_similarity,
    keep_null,
    load_null,
)
from stimgen.execution.proof.null_pictures import NullPairs, choose_null_pairs
from stimgen.execution.proof.similarity import ActivationVector, Vector
from stimgen.images.prepare import Pixels
from stimgen.networks import Classifier, DeviceSpec, FeatureExtractor, Network
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.protocol.proof import ProofSettings, find_metamer_terms
from stimgen.reading.identity import NUMERICS, digest
from stimgen.stimulus_set.metamer import LayerProof, MetamerRecord, NullRecord
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.objective import load_network
from stimgen.synthesis.term import Term

ProveMetamers = Callable[
    [Sequence[PlannedStimulus], Sequence[Pixels], Mapping[str, Pixels]], list[MetamerRecord | None]
]
"""Measures stimuli beside their sources, see `MetamerProver.prove`."""


class MetamerProver:
    """Compares the metamers of a set with their sources, on a device.

    What batches of one condition need is kept from one to the next.
    """

    def __init__(
        self, settings: ProofSettings, plan: ProtocolPlan, store: Store, device: torch.device
    ) -> None:
        self.settings, self.plan, self.store, self.device = settings, plan, store, device
        self._kept: _MetamerComparison | None = None

    def prove(
        self,
        stimuli: Sequence[PlannedStimulus],
        pictures: Sequence[Pixels],
        sources: Mapping[str, Pixels],
        slots: int,
    ) -> list[MetamerRecord | None]:
        """Return what records say of the stimuli of a batch; None where they are not metamers.

        Parameters
        ----------
        stimuli : sequence of PlannedStimulus
            Of one condition and shape.
        pictures : sequence of array
            The stimuli as they are saved: height x width x channels, range [0, 1].
        sources : mapping
            Their sources as they are saved, by id.
        slots : int
            The number of images measured at once.

        Raises
        ------
        StimgenError
            There are not enough unrelated pictures.
        """
        terms = find_metamer_terms(stimuli[0].condition.method)
        records: list[MetamerRecord | None] = [None] * len(stimuli)
        # Steps can have cut a part out of a picture: that has no activations to compare.
        whole = [i for i, one in enumerate(stimuli) if pictures[i].shape == sources[one.source.id].shape]
        if terms and whole:
            comparison = self._find_comparison(terms, stimuli[0].source.shape, slots)
            keys = [stimuli[i].source.id for i in whole]
            found = comparison.prove([pictures[i] for i in whole], keys, sources)
            for i, record in zip(whole, found, strict=True):
                records[i] = record
        return records

    def _find_comparison(
        self, terms: tuple[Term, ...], shape: tuple[int, int, int], slots: int
    ) -> _MetamerComparison:
        kept = self._kept
        if kept is None or (kept.terms, kept.shape, kept.slots) != (terms, shape, slots):
            kept = self._kept = _MetamerComparison(self, terms, shape, slots)
        return kept


@dataclass(frozen=True)
class _MetamerComparison:
    """Compares metamers of one condition and shape, `slots` of them at once."""

    prover: MetamerProver
    terms: tuple[Term, ...]
    shape: tuple[int, int, int]
    slots: int

    def prove(
        self, pictures: Sequence[Pixels], keys: Sequence[str], sources: Mapping[str, Pixels]
    ) -> list[MetamerRecord]:
        """Return the record of every picture, given the key of its source."""
        names = list(dict.fromkeys(keys))
        wanted = [sources[name] for name in names]
        activations = {
            name: {layer: ActivationVector(one) for layer, one in found.items()}
            for name, found in zip(names, self._reader.read(wanted, self._layers), strict=True)
        }
        classes = dict(zip(names, self._reader.name_classes(wanted, self._classifier), strict=True))
        own = self._reader.name_classes(pictures, self._classifier)
        return [
            self._record(self._compare(found, activations[key]), (classes[key], mine))
            for found, key, mine in zip(self._reader.read(pictures, self._layers), keys, own, strict=True)
        ]

    def _record(
        self, layers: tuple[LayerProof, ...], classes: tuple[str | None, str | None]
    ) -> MetamerRecord:
        return MetamerRecord(
            network=self._network.name,
            weights_sha256=self._extract.weights_sha256,
            null=NullRecord(
                pairs=len(self._pairs.pairs),
                pictures=len(self._pairs.pictures),
                sources=self._pairs.sources,
                sha256=self._pairs.sha256,
            ),
            layers=layers,
            better=all(layer.is_better for layer in layers if layer.matched),
            source_class=classes[0],
            stimulus_class=classes[1],
        )

    def _compare(
        self, own: Mapping[str, Vector], wanted: Mapping[str, ActivationVector]
    ) -> tuple[LayerProof, ...]:
        matched = {name for term in self.terms for name in term.layer_weights}
        proofs = []
        for name in self._layers:
            found = wanted[name].compare(ActivationVector(own[name]))
            null = self._null.layers[name]
            proof = LayerProof(
                layer=name,
                matched=name in matched,
                found=describe_similarity(found),
                null_best=null.summarise(FIRST),
                null_median=null.summarise(MEDIAN),
                share=null.find_share(found),
            )
            proofs.append(proof)
        return tuple(proofs)

    @property
    def _network(self) -> Network:
        return self.terms[0].network

    @cached_property
    def _layers(self) -> tuple[str, ...]:
        return self.prover.settings.select_layers(self.terms, self.shape[1], self.shape[0])

    @cached_property
    def _extract(self) -> FeatureExtractor:
        return load_network(self._network, frozenset(self._layers), DeviceSpec(self.prover.device))

    @cached_property
    def _classifier(self) -> Classifier | None:
        return self._network.load_classifier(DeviceSpec(self.prover.device))

    @cached_property
    def _reader(self) -> ActivationReader:
        return ActivationReader(self._extract, self.prover.device, self.slots)

    @cached_property
    def _pairs(self) -> NullPairs:
        return choose_null_pairs(self.prover.plan, self.shape, self.prover.settings.pairs)

    @cached_property
    def _null(self) -> NullDistribution:
        """Return the null distribution, measured once for a set."""
        network = self._network.recipe(), self._extract.weights_sha256, self._layers
        key = digest([NUMERICS, *network, self._pairs.sha256])
        kept = load_null(self.prover.store, key)
        if kept is None:
            height, width, _ = self.shape
            channels, side = self._network.layers(), self._network.map_side
            sizes = {name: channels[name] * side(name, height) * side(name, width) for name in self._layers}
            kept = NullDistribution(key=key, layers=self._reader.measure_null(self._pairs, sizes))
            keep_null(self.prover.store, kept)
        return kept
