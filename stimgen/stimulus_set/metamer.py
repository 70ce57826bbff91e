"""Models the proof of a metamer in its record: how near its activations are to those of its source."""

from __future__ import annotations

from stimgen.reading.model import Model

LEAST_SHARE = 0.01
"""A metamer is better than the null's first percentile if a smaller share of unrelated pairs is as near."""


class ActivationSimilarity(Model):
    """Compares the activations of two pictures at a layer; None where it is not defined."""

    pearson: float | None
    """Correlation over all maps and positions."""
    spearman: float | None
    """Correlation of ranks."""
    snr: float | None
    """Signal-to-noise ratio in decibels: 10 log10(sum a^2 / sum (a - b)^2), a being the source's."""
    distance: float | None
    """Normalised distance |a - b| / |a|."""


class LayerProof(Model):
    """Compares a stimulus with its source at a layer, and with pairs of unrelated pictures."""

    layer: str
    matched: bool
    """Whether the objective compares this layer."""
    found: ActivationSimilarity
    """The stimulus and its source."""
    null_best: ActivationSimilarity
    """What one per cent of the unrelated pairs reach: 99th percentiles, and the first of distances."""
    null_median: ActivationSimilarity
    """Medians of the unrelated pairs."""
    share: float
    """Part of the unrelated pairs that are at least as near, by the measure by which most of them are."""

    @property
    def is_better(self) -> bool:
        """Return whether less than one per cent of the unrelated pairs are as near, by every measure."""
        return self.share < LEAST_SHARE


class NullRecord(Model):
    """Tells which pairs of unrelated pictures a stimulus is compared with."""

    pairs: int
    pictures: int
    """Number of different pictures in these pairs."""
    sources: int
    """How many of them are sources of the set; the others are photographs of scikit-image."""
    sha256: str
    """Hash of the list of pictures and pairs."""


class MetamerRecord(Model):
    """Records how well a stimulus is a metamer of its source for a network."""

    network: str
    weights_sha256: str | None
    null: NullRecord
    layers: tuple[LayerProof, ...]
    """All compared layers, shallow to deep."""
    better: bool
    """Whether it is better than the null's first percentile at every layer that the objective compares."""
    source_class: str | None
    """The network's class for the source; None for a network without a trained head."""
    stimulus_class: str | None
    """Its class for the stimulus."""

    @property
    def keeps_class(self) -> bool | None:
        """Return whether both have the same class; None without a head."""
        return None if self.source_class is None else self.source_class == self.stimulus_class

    @property
    def matched(self) -> tuple[LayerProof, ...]:
        """Return the layers that the objective compares."""
        return tuple(layer for layer in self.layers if layer.matched)
