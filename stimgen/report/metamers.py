"""Shows how near metamers are to their sources, beside pairs of unrelated pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.metamer import LayerProof, MetamerRecord
from stimgen.stimulus_set.record import RecordContent

NOTHING = "\u2013"
MEASURES = {"pearson": "r", "spearman": "rank r", "snr": "SNR", "distance": "distance"}


class MetamerRow(NamedTuple):
    """Holds a row of the page's table: a condition at a layer that it matches."""

    condition: str
    network: str
    layer: str
    measures: list[tuple[str, str]]
    """Correlation, rank correlation, signal to noise and distance: means over stimuli, and what one per cent
    of the unrelated pairs reach."""
    better: str
    classes: str


@dataclass
class MetamerSummary:
    """Collects the proofs of a condition's stimuli."""

    network: str = ""
    pairs: int = 0
    better: int = 0
    stimuli: int = 0
    kept: int = 0
    """Stimuli of the same class as their sources."""
    headed: int = 0
    """Stimuli for which the network names a class."""
    layers: dict[str, list[LayerProof]] = field(default_factory=dict)

    def add(self, found: MetamerRecord) -> None:
        """Add a stimulus."""
        self.network, self.pairs = found.network, found.null.pairs
        self.stimuli += 1
        self.better += found.better
        self.headed += found.keeps_class is not None
        self.kept += bool(found.keeps_class)
        for layer in found.matched:
            self.layers.setdefault(layer.layer, []).append(layer)

    def list_rows(self, condition: str) -> list[MetamerRow]:
        """Return a row for each matched layer, with means over stimuli."""
        classes = f"{self.kept:,} of {self.headed:,}" if self.headed else "no head"
        rows = []
        for name, proofs in self.layers.items():
            null = proofs[0].null_best
            measures = [(_format_mean(proofs, key), _format(getattr(null, key))) for key in MEASURES]
            better = f"{sum(proof.is_better for proof in proofs):,} of {len(proofs):,}"
            rows.append(MetamerRow(condition, self.network, name, measures, better, classes))
        return rows


def describe_metamer(content: RecordContent) -> list[tuple[str, str]]:
    """Return what the page shows of one stimulus: its class, and a line for every layer."""
    found = content.quality.metamer if content.quality else None
    if found is None:
        return []
    facts = [("Better than unrelated pictures", "yes" if found.better else "no")]
    if found.source_class is not None:
        facts.append(("Class", f"{found.stimulus_class} (source: {found.source_class})"))
    return [(name, to_one_line(text)) for name, text in (*facts, *map(_describe_layer, found.layers))]


def _describe_layer(layer: LayerProof) -> tuple[str, str]:
    found, null = layer.found, layer.null_best
    pairs = [
        (f"{name} {_format(getattr(found, key))}", _format(getattr(null, key)))
        for key, name in MEASURES.items()
    ]
    text = "; ".join(f"{one} ({limit})" for one, limit in pairs)
    return (f"{layer.layer}, matched" if layer.matched else layer.layer), text


def _format_mean(proofs: list[LayerProof], key: str) -> str:
    values = [value for proof in proofs if (value := getattr(proof.found, key)) is not None]
    return _format(sum(values) / len(values)) if values else NOTHING


def _format(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"
