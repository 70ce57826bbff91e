"""Models what a record says of a stimulus' quality; docs/quality.md defines every number."""

from __future__ import annotations

import math

from stimgen.images.measures.comparison import SourceComparison
from stimgen.reading.model import Model
from stimgen.stimulus_set.metamer import MetamerRecord

DIGITS = 6


class EvaluationRecord(Model):
    """Records how an independent network rates a stimulus."""

    network: str
    weights_sha256: str | None
    layers: tuple[str, ...]
    score: float | None
    """Mean relative difference of Gram matrices between stimulus and source."""
    halves: float | None
    """The same between the left and the right half of the source; None where they are too small."""


class ColourDistances(Model):
    """Records Wasserstein-1 distances between the histograms of the three colour channels."""

    red: float
    green: float
    blue: float


class QualityRecord(Model):
    """Compares a stimulus with its source, both as they are saved; None where nothing can be compared."""

    largest_copy: float | None
    """Largest normalised cross-correlation of crops of the stimulus with the source."""
    colour_distance: ColourDistances | None
    """None where stimulus or source is grey."""
    luminance_distance: float | None
    """Wasserstein-1 distance of the histograms of luminance."""
    spectrum_distance: float | None
    """Root mean squared difference of log amplitude spectra, in decades."""
    converged: bool | None
    """Whether going on would have changed little; None where nothing was minimised."""
    judge: EvaluationRecord | None
    """None without a judge."""
    amplitude_kept: float | None = None
    """Part of the amplitudes that the file has of those that its method should keep; None for methods that
    keep none, and after steps."""
    metamer: MetamerRecord | None = None
    """How near its activations are to its source's; None for stimuli that are no metamers, and without
    `proof`."""


def build_quality_record(
    found: SourceComparison, converged: bool | None, judge: EvaluationRecord | None
) -> QualityRecord:
    """Return what a record says of a stimulus that was compared with its source."""
    colours = None
    if found.colour:
        red, green, blue = map(round_significant, found.colour)
        colours = ColourDistances(red=red, green=green, blue=blue)
    return QualityRecord(
        largest_copy=round_significant(found.largest_copy),
        colour_distance=colours,
        luminance_distance=round_significant(found.luminance),
        spectrum_distance=round_significant(found.spectrum),
        converged=converged,
        judge=judge,
    )


def round_significant(value: float) -> float | None:
    """Round to six significant digits, which hide the last bits of sums; return None for NaN."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
