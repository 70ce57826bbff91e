"""Measures the mean of a set, picture by picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Plane
from stimgen.images.matching.colour import extract_plane
from stimgen.images.matching.settings import SetMatching
from stimgen.images.matching.spectrum import SpectrumTarget, measure_amplitude
from stimgen.images.picture import MaskedPicture
from stimgen.reading.errors import StimgenError

LEVELS = 2**22  # of the mean histogram between black and white, enough for 16 bits in sRGB
TIE = 1e-9  # less than a pixel's share, and more than rounding
FLAT = 1e-6
VISIBLE = 0.5  # from this weight on, a pixel counts in histograms


class PlaneMoments(NamedTuple):
    """Holds mean and standard deviation, weighted by a mask."""

    mean: float
    deviation: float


@dataclass(frozen=True, eq=False)
class MatchingTarget:
    """Holds what all pictures of a set get."""

    moments: PlaneMoments
    """The means over pictures of mean and standard deviation, as SHINE takes them."""
    shares: Plane | None
    """Of the mean histogram, the cumulative part of pixels up to each level; None if it is not needed."""
    spectrum: SpectrumTarget | None
    contrast: float = 1.0

    def take_values(self, count: int) -> Plane:
        """Return `count` rising values with the mean histogram."""
        if self.shares is None:
            raise ValueError("the target has no histogram")
        middle = (np.arange(count) + 0.5) / count
        values = np.searchsorted(self.shares, middle - TIE) / (LEVELS - 1)
        mean = values.mean()
        lowered: Plane = mean + self.contrast * (values - mean)
        return lowered


class SetMean:
    """Adds up pictures, and returns their mean; only sums are held."""

    def __init__(self, settings: SetMatching) -> None:
        self._settings = settings
        self._count = 0
        self._moments = np.zeros(2)
        self._shares: Plane | None = np.zeros(LEVELS) if settings.luminance == "histogram" else None
        self._amplitude: Plane | None = None
        self._shape: tuple[int, int] | None = None

    def add(self, picture: MaskedPicture) -> None:
        """Add a picture; raise `StimgenError` if it is flat, or cannot be matched with the others."""
        plane = extract_plane(picture.light, self._settings.colour)
        moments = measure_moments(plane, picture.weights)
        if moments.deviation < FLAT:
            kind = "black" if moments.mean < FLAT else "one even grey"
            raise StimgenError(f"is {kind}: it has no contrast that could be matched")
        if self._settings.matches_spectrum:
            self._add_spectrum(plane, picture)
        self._count += 1
        self._moments += moments
        if self._shares is not None:
            levels = np.rint(np.clip(plane[select_visible(picture)], 0.0, 1.0) * (LEVELS - 1)).astype(np.intp)
            self._shares += np.bincount(levels, minlength=LEVELS).cumsum() / levels.size

    def _add_spectrum(self, plane: Plane, picture: MaskedPicture) -> None:
        if self._settings.spectrum == "none":
            return
        if not (picture.weights == 1.0).all():
            raise StimgenError(
                "has a mask, which has a spectrum of its own: spectra are matched over whole pictures",
                hint="match the luminance only, or the spectra before masks and apertures are applied",
            )
        height, width = plane.shape
        high, wide = self._shape or (height, width)
        if (height, width) != (high, wide):
            raise StimgenError(
                f"has {width} x {height} pixels, the first picture {wide} x {high}: spectra are matched "
                "between pictures of one size",
                hint="crop or resample the pictures to one size first",
            )
        amplitude = measure_amplitude(plane, self._settings.spectrum)
        self._shape = height, width
        self._amplitude = amplitude if self._amplitude is None else self._amplitude + amplitude

    def target(self) -> MatchingTarget:
        """Return the mean; raise `StimgenError` if there are fewer than two pictures."""
        if self._count < 2:
            raise StimgenError(
                f"matching needs at least two pictures; there {'is' if self._count else 'are'} {self._count}"
            )
        mean, deviation = self._moments / self._count
        factor = self._settings.contrast
        shares = None if self._shares is None else self._shares / self._count
        target = MatchingTarget(PlaneMoments(float(mean), float(deviation) * factor), shares, None, factor)
        return replace(target, spectrum=self._average_spectrum(target))

    def _average_spectrum(self, target: MatchingTarget) -> SpectrumTarget | None:
        """Return the mean spectrum, with the variance of the luminance if that is matched, too.

        The mean of amplitudes has less variance than the mean histogram, which also has what differs between
        pictures. In SHINE, histogram and spectrum therefore never both hold; here the spectrum is multiplied
        by one factor, the same for all pictures.
        """
        if self._amplitude is None or self._shape is None or self._settings.spectrum == "none":
            return None
        spectrum = SpectrumTarget(self._settings.spectrum, self._amplitude / self._count, self._shape)
        if self._settings.luminance == "none":
            return spectrum.scale_contrast(target.contrast)
        height, width = self._shape
        wanted = target.moments.deviation
        if self._settings.luminance == "histogram":
            wanted = float(target.take_values(height * width).std())
        return spectrum.scale_contrast(wanted / np.sqrt(spectrum.variance))


def measure_target(settings: SetMatching, pictures: Iterable[tuple[str, MaskedPicture]]) -> MatchingTarget:
    """Return the mean of named pictures; errors name the picture first."""
    mean = SetMean(settings)
    for name, picture in pictures:
        try:
            mean.add(picture)
        except StimgenError as error:
            raise error.add_prefix(name) from None
    return mean.target()


def measure_moments(plane: Plane, weights: Plane) -> PlaneMoments:
    """Return mean and standard deviation over a mask; raise `StimgenError` if nothing is visible."""
    total = weights.sum()
    if total == 0.0 or not (weights >= VISIBLE).any():
        raise StimgenError("nothing of it is visible: its mask is black")
    mean = float((plane * weights).sum() / total)
    return PlaneMoments(mean, float(np.sqrt((weights * (plane - mean) ** 2).sum() / total)))


def select_visible(picture: MaskedPicture) -> NDArray[np.bool_]:
    """Return which pixels count in histograms."""
    visible: NDArray[np.bool_] = picture.weights >= VISIBLE
    return visible
