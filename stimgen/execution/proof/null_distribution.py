"""Holds how near activations of unrelated pictures are, and keeps it in a set's folder to save time."""

from __future__ import annotations

import numpy as np

from stimgen.execution.proof.similarity import Similarity
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model
from stimgen.stimulus_set.leftovers import KEPT
from stimgen.stimulus_set.metamer import ActivationSimilarity
from stimgen.stimulus_set.quality import round_significant
from stimgen.stimulus_set.store import Store, json_bytes, parse_json

FIRST, MEDIAN = 1.0, 50.0
"""Percentiles that records have."""


class LayerNull(Model):
    """Holds what pairs of unrelated pictures have at a layer, with one entry for each pair."""

    pearson: tuple[float, ...]
    spearman: tuple[float, ...]
    snr: tuple[float, ...]
    distance: tuple[float, ...]

    def find_share(self, found: Similarity) -> float:
        """Return which part of the pairs are at least as near; 1 where nothing is defined.

        Distances are left out: their order is that of signal-to-noise ratios.
        """
        pairs = [(self.pearson, found.pearson), (self.spearman, found.spearman), (self.snr, found.snr)]
        shares = [float(np.mean(np.array(null) >= value)) for null, value in pairs if not np.isnan(value)]
        return max(shares, default=1.0)

    def summarise(self, percentile: float) -> ActivationSimilarity:
        """Return the similarity that this percentage of the pairs reach or exceed."""
        near = 100 - percentile
        found = Similarity(
            pearson=float(np.percentile(self.pearson, near)),
            spearman=float(np.percentile(self.spearman, near)),
            snr=float(np.percentile(self.snr, near)),
            distance=float(np.percentile(self.distance, percentile)),
        )
        return describe_similarity(found)


class NullDistribution(Model):
    """Holds the null distribution of a network, layer by layer."""

    format: int = 1
    key: str
    """Hash of all that determines it."""
    layers: dict[str, LayerNull]


def load_null(store: Store, key: str) -> NullDistribution | None:
    """Return the null distribution kept in a set's folder; None if there is none, or a damaged one."""
    name = _kept_file(key)
    if not store.has(name):
        return None
    try:
        kept = parse_json(NullDistribution, store.read(name), store.path(name))
    except StimgenError:
        return None
    return kept if kept.key == key else None


def keep_null(store: Store, null: NullDistribution) -> None:
    """Keep a null distribution in a set's folder; it is not part of the set, as the set's index is not."""
    store.write(_kept_file(null.key), json_bytes(null.to_dict()))


def _kept_file(key: str) -> str:
    return f"{KEPT}null-{key[:16]}.json"


def describe_similarity(found: Similarity) -> ActivationSimilarity:
    """Return what a record says of a similarity."""
    pearson, spearman, snr, distance = map(round_significant, found)
    return ActivationSimilarity(pearson=pearson, spearman=spearman, snr=snr, distance=distance)
