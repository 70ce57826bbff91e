"""Matches all pictures of a set, one after the other, and measures each before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stimgen.images.matching.match import MatchedPicture, PictureMatcher, clipping_error
from stimgen.images.matching.report import PictureCurves, measure_curves
from stimgen.images.matching.settings import SetMatching
from stimgen.images.matching.target import MatchingTarget, measure_target
from stimgen.images.picture import MaskedPicture
from stimgen.images.write import Bits, Levels, as_pixels, quantise
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True, eq=False)
class MatchingResult:
    """Holds a picture before matching, and as it is saved."""

    name: str
    before: MaskedPicture
    matched: MatchedPicture
    levels: Levels
    """Height x width x channels, uint8 or uint16."""
    settings: SetMatching

    @cached_property
    def after(self) -> MaskedPicture:
        """Return the saved picture."""
        return replace(self.before, pixels=as_pixels(self.levels))

    def curves(self) -> tuple[PictureCurves, PictureCurves]:
        """Return what is drawn of the picture before and after."""
        return measure_curves(self.before, self.settings), measure_curves(self.after, self.settings)


@dataclass(frozen=True, eq=False)
class SetMatcher:
    """Matches the pictures of a set, which are read when they are needed, twice in all."""

    settings: SetMatching
    pictures: Mapping[str, Callable[[], MaskedPicture]]
    """Functions that return the pictures, by name."""
    bits: Bits = 8

    @cached_property
    def target(self) -> MatchingTarget:
        """Return the mean of the set; errors name the picture."""
        return measure_target(self.settings, ((name, read()) for name, read in self.pictures.items()))

    def run(self) -> Iterator[MatchingResult]:
        """Yield the matched pictures.

        Raises `StimgenError`, after all others were tried, if clipping would undo the matching of some.
        """
        matcher, clipped = PictureMatcher(self.settings, self.target), {}
        for name, read in self.pictures.items():
            before = read()
            try:
                matched = matcher.match(before)
            except StimgenError as error:
                raise error.add_prefix(name) from None
            if matched.clipped > self.settings.clipping:
                clipped[name] = matched
            else:
                yield MatchingResult(
                    name, before, matched, quantise(matched.picture.pixels, self.bits), self.settings
                )
        if clipped:
            raise _describe_clipping(clipped, len(self.pictures))


def _describe_clipping(clipped: Mapping[str, MatchedPicture], total: int) -> StimgenError:
    worst = max(clipped, key=lambda name: clipped[name].clipped)
    contrast = min(one.fitting_contrast for one in clipped.values())
    error = clipping_error(clipped[worst].clipped, contrast)
    return error.add_prefix(f"{len(clipped)} of {total} pictures cannot be matched, first of all {worst}")
