"""Measures pictures before and after matching, and models the file that says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stimgen.images.light import Plane, from_light
from stimgen.images.matching.colour import extract_plane
from stimgen.images.matching.histogram import SSIM_SMALLEST, measure_similarity
from stimgen.images.matching.settings import SetMatching
from stimgen.images.matching.spectrum import measure_amplitude
from stimgen.images.matching.target import MatchingTarget, measure_moments, select_visible
from stimgen.images.picture import MaskedPicture
from stimgen.reading.model import Model

BINS = 64  # of the histograms that are drawn
DIGITS = 6


class PictureMeasures(Model):
    """Holds measures of one picture, of its luminance or of CIELAB L* / 100, as it is matched; white is 1."""

    mean: float
    """Mean over the mask."""
    deviation: float
    """Standard deviation over the mask."""
    histogram_deviation: float | None
    """Wasserstein-1 distance of its histogram from the target's; None if histograms are not matched."""
    spectrum_deviation: float | None
    """Root mean squared difference of amplitudes relative to the target's; None if they are not matched."""


class MatchingRecord(Model):
    """Records what matching did to one picture."""

    name: str
    file: str
    """File that was matched."""
    sha256: str
    """Hash of that file."""
    saved: str
    """File that was written."""
    saved_sha256: str
    before: PictureMeasures
    after: PictureMeasures
    """Of the written file."""
    iterations: int
    """How often spectrum and luminance were matched in turn."""
    ssim: float | None
    """Structural similarity before and after (Wang et al. 2004); None for pictures below 11 pixels."""
    clipped: float
    """Part of the pixels that were clipped."""
    desaturated: float
    """Part of the pixels that lost colour, so that their luminance could be kept."""


class MatchingReport(Model):
    """Records how pictures were matched, and with what result."""

    format: int = 1
    settings: SetMatching
    encoding: str
    bits: int
    target: tuple[str, ...]
    """Sorted hashes of the pixels of all pictures whose mean is the target."""
    pictures: tuple[MatchingRecord, ...]


@dataclass(frozen=True, eq=False)
class PictureCurves:
    """Holds what is drawn of a picture."""

    histogram: Plane
    """Parts of the pixels in 64 bins between black and white, in steps that look about equal."""
    spectrum: Plane
    """Root mean square amplitude at 1, 2, ... cycles per shorter side up to the Nyquist frequency."""


def measure_picture(picture: MaskedPicture, target: MatchingTarget, settings: SetMatching) -> PictureMeasures:
    """Return the measures of a picture; raise `StimgenError` if nothing of it is visible."""
    plane = extract_plane(picture.light, settings.colour)
    mean, deviation = measure_moments(plane, picture.weights)
    histogram = spectrum = None
    if target.shares is not None:
        values = np.sort(plane[select_visible(picture)])
        histogram = round(float(np.abs(values - target.take_values(values.size)).mean()), DIGITS)
    if target.spectrum is not None:
        spectrum = round(target.spectrum.deviation(plane), DIGITS)
    return PictureMeasures(
        mean=round(mean, DIGITS),
        deviation=round(deviation, DIGITS),
        histogram_deviation=histogram,
        spectrum_deviation=spectrum,
    )


def measure_curves(picture: MaskedPicture, settings: SetMatching) -> PictureCurves:
    """Return histogram and spectrum of a picture, for drawing."""
    plane = extract_plane(picture.light, settings.colour)
    encoded = np.clip(plane[select_visible(picture)], 0.0, 1.0)
    if settings.colour == "luminance":  # steps of L* look equal already
        encoded = from_light(encoded, "srgb").astype(np.float64)
    counts, _ = np.histogram(encoded, BINS, (0.0, 1.0))
    rings = measure_amplitude(plane, "rotational")[1 : min(plane.shape) // 2 + 1]
    return PictureCurves(counts / counts.sum(), rings)


def measure_ssim(one: MaskedPicture, other: MaskedPicture, settings: SetMatching) -> float | None:
    """Return the structural similarity of two pictures; None for tiny ones."""
    first, second = (extract_plane(picture.light, settings.colour) for picture in (one, other))
    if min(first.shape) < SSIM_SMALLEST:
        return None
    return round(measure_similarity(first, second)[0], DIGITS)
