"""Matches all pictures of a set, one after the other, and measures each before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stimgen.images.matching.match import MatchedPicture, PictureMatcher, describe_clipped_picture
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
    rendered: bool = False
    """Whether it was saved as it is shown, behind its mask."""

    @cached_property
    def after(self) -> MaskedPicture:
        """Return the saved picture."""
        return (
            self.before.uncover(as_pixels(self.levels))
            if self.rendered
            else replace(self.before, pixels=as_pixels(self.levels))
        )

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
    rendered: bool = False
    """Whether pictures are saved behind their masks; otherwise, what masks hide stays as it is."""

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
                shown = matched.picture.render() if self.rendered else matched.picture.pixels
                levels = quantise(shown, self.bits)
                yield MatchingResult(name, before, matched, levels, self.settings, self.rendered)
        if clipped:
            raise describe_clipped_set(clipped, len(self.pictures))


def describe_clipped_set(clipped: Mapping[str, MatchedPicture], total: int) -> StimgenError:
    """Return an error about pictures that would be clipped, with the contrast at which none is."""
    worst = max(clipped, key=lambda name: clipped[name].clipped)
    contrast = min(one.fitting_contrast for one in clipped.values())
    error = describe_clipped_picture(clipped[worst].clipped, contrast)
    return error.add_prefix(f"{len(clipped)} of {total} pictures cannot be matched, for example {worst}")
