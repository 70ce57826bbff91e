"""Gives single pictures what the mean of their set has; the order of pictures does not matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stimgen.images.light import Plane
from stimgen.images.matching.colour import convert_to_luminance, extract_plane, replace_plane
from stimgen.images.matching.histogram import SSIM_SMALLEST, specify_histogram, specify_similar
from stimgen.images.matching.settings import SetMatching
from stimgen.images.matching.target import FLAT, MatchingTarget, measure_moments, select_visible
from stimgen.images.picture import NEGLIGIBLE, MaskedPicture
from stimgen.reading.errors import StimgenError

PATIENCE = 10  # iterations that may bring nothing before the best one is taken


@dataclass(frozen=True, eq=False)
class MatchedPicture:
    """Holds a matched picture and what matching did to it."""

    picture: MaskedPicture
    iterations: int
    """How often spectrum and luminance were matched."""
    deviation: float | None
    """Of the spectrum from its target, before clipping and rounding; None if it is not matched."""
    clipped: float
    """Part of the visible pixels whose luminance is beyond black or white."""
    desaturated: float
    """Part of the pixels whose colour had to be mixed with grey to keep their luminance."""
    fitting_contrast: float
    """Largest factor of the contrast, as things are, at which nothing would be clipped."""


@dataclass(frozen=True, eq=False)
class PictureMatcher:
    """Matches pictures with a target."""

    settings: SetMatching
    target: MatchingTarget

    def match(self, picture: MaskedPicture) -> MatchedPicture:
        """Return the matched picture, not clipped yet.

        Raises `StimgenError` if it is flat, nothing of it is visible, or its size is not the target's.
        """
        light = picture.light
        plane = extract_plane(light, self.settings.colour)
        if measure_moments(plane, picture.weights).deviation < FLAT:
            raise StimgenError("it has no contrast that could be matched")
        self._check_spectrum(picture)
        matched, iterations, deviation = self._iterate(plane, picture)
        matched = np.where(picture.weights > 0.0, matched, plane)
        put = replace_plane(light, matched, self.settings.colour)
        seen = matched[select_visible(picture)]
        grey = convert_to_luminance(seen, self.settings.colour)
        return MatchedPicture(
            picture=picture.with_light(put.light),
            iterations=iterations,
            deviation=deviation,
            clipped=float(np.mean((grey < -NEGLIGIBLE) | (grey > 1.0 + NEGLIGIBLE))),
            desaturated=put.desaturated,
            fitting_contrast=self._find_fitting_contrast(seen),
        )

    def _check_spectrum(self, picture: MaskedPicture) -> None:
        spectrum = self.target.spectrum
        if spectrum is None:
            return
        if not (picture.weights == 1.0).all():
            raise StimgenError("it has a mask: spectra are matched over whole pictures")
        if spectrum.shape != picture.weights.shape:
            raise StimgenError("its size is not that of the pictures whose spectrum is the target")

    def _iterate(self, plane: Plane, picture: MaskedPicture) -> tuple[Plane, int, float | None]:
        spectrum, settings = self.target.spectrum, self.settings
        if spectrum is None:
            return self._match_luminance(plane, picture), 1, None
        best, least, ended = plane, np.inf, 0
        for iteration in range(1, settings.iterations + 1 if settings.luminance != "none" else 2):
            plane = self._match_luminance(spectrum.apply(plane), picture)
            deviation = spectrum.deviation(plane)
            if deviation < least:
                best, least, ended = plane, deviation, iteration
            if least <= settings.tolerance or iteration - ended >= PATIENCE:
                break
        return best, ended, least

    def _match_luminance(self, plane: Plane, picture: MaskedPicture) -> Plane:
        if self.settings.luminance == "none":
            return plane
        if self.settings.luminance == "moments":
            found, wanted = measure_moments(plane, picture.weights), self.target.moments
            return wanted.mean + (plane - found.mean) * (wanted.deviation / max(found.deviation, FLAT))
        inside = select_visible(picture)
        rising = self.target.take_values(int(inside.sum()))
        if self.settings.ssim == 0:
            return specify_histogram(plane, inside, rising)
        if min(plane.shape) < SSIM_SMALLEST:
            raise StimgenError(f"`ssim` needs pictures of at least {SSIM_SMALLEST} pixels a side")
        return specify_similar(plane, inside, rising, self.settings.ssim).plane

    def _find_fitting_contrast(self, values: Plane) -> float:
        mean, darkest, lightest = float(values.mean()), float(values.min()), float(values.max())
        up = (1.0 - mean) / (lightest - mean) if lightest > 1.0 else 1.0
        down = mean / (mean - darkest) if darkest < 0.0 else 1.0
        return max(0.0, min(up, down)) * self.settings.contrast


def describe_clipped_picture(clipped: float, contrast: float) -> StimgenError:
    """Return the error that clipping would undo the matching, with a contrast at which it would not."""
    lower = np.floor(contrast * 100) / 100
    return StimgenError(
        f"{100 * clipped:.3g} % of its pixels would be darker than black or brighter than white, and "
        "clipping them would undo the matching",
        hint=f"lower the contrast of all pictures with `contrast: {lower:g}`, or match the histogram, too, "
        "with `luminance: histogram`",
    )
