"""Matches the sources of a protocol with each other before they are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stimgen.images.matching import PictureMatcher, SetMatching, measure_target
from stimgen.images.matching.run import describe_clipped_set
from stimgen.images.picture import MaskedPicture
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.source_matching import SourceMatching
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import digest


@dataclass(frozen=True, eq=False)
class SourceMatcher:
    """Matches single sources; the target is measured when it is first needed."""

    settings: SetMatching
    sources: Sequence[PlannedSource]
    """The sources whose mean is the target, not matched yet."""
    where: Location

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Return settings, and a hash of everything that determines the target's pixels, for identities.

        The hash is that of the sorted hashes of the sources: of a thousand, a list would fill every record.
        """
        return {**self.settings.recipe(), "target": digest(self.hashes)}

    @cached_property
    def hashes(self) -> list[str]:
        """Return the sorted hashes of what determines the pixels of each source of the target."""
        return sorted(digest(source.recipe) for source in self.sources)

    @cached_property
    def _matcher(self) -> PictureMatcher:
        named = ((f"source {source.id!r}", source.read_before_matching()) for source in self.sources)
        return PictureMatcher(self.settings, measure_target(self.settings, named))

    def match(self, picture: MaskedPicture) -> MaskedPicture:
        """Return the matched picture; raise `StimgenError` if it, or the target, cannot be matched."""
        found = self._matcher.match(picture)
        if found.clipped > self.settings.clipping:
            raise self._describe_clipped_set()
        return found.picture

    def _describe_clipped_set(self) -> StimgenError:
        """Return an error that names the contrast at which no source is clipped."""
        all_found = {one.id: self._matcher.match(one.read_before_matching()) for one in self.sources}
        clipped = {name: one for name, one in all_found.items() if one.clipped > self.settings.clipping}
        return describe_clipped_set(clipped, len(self.sources))


def match_sources(
    planned: list[PlannedSource], sources: Sequence[PlannedSource], settings: SourceMatching, where: Location
) -> list[PlannedSource]:
    """Return planned sources and references that are matched with the mean of `sources`.

    Raises `StimgenError` if there are fewer than two, a name is unknown, or spectra of pictures of different
    sizes or with masks are to be matched.
    """
    chosen = _choose(settings, sources, where)
    matcher = SourceMatcher(settings.settings, chosen, where)
    if settings.matches_spectrum:
        for source in planned:
            _refuse_unlike(source, chosen[0], where)
    return [_attach(source, matcher.match, matcher.recipe) for source in planned]


def _choose(
    settings: SourceMatching, sources: Sequence[PlannedSource], where: Location
) -> Sequence[PlannedSource]:
    known = {source.id: source for source in sources}
    for name in settings.pictures or ():
        if name not in known:
            raise StimgenError(
                f"matching: there is no source {name!r}", where=where, given=name, allowed=list(known)
            )
    chosen = [known[name] for name in dict.fromkeys(settings.pictures or known)]
    if len(chosen) < 2:
        raise StimgenError("matching needs at least two sources", where=where)
    return chosen


def _refuse_unlike(source: PlannedSource, first: PlannedSource, where: Location) -> None:
    if source.mask is not None:
        raise StimgenError(
            f"matching: source {source.id!r} has a mask, which has a spectrum of its own",
            where=where,
            hint="say `spectrum: none`, or leave out the masks and list an aperture under `after`",
        )
    if source.matched_size != first.matched_size:
        (width, height), (wide, high) = source.matched_size, first.matched_size
        raise StimgenError(
            f"matching: source {source.id!r} has {width} x {height} pixels, {first.id!r} {wide} x {high}: "
            "spectra are matched between pictures of one size",
            where=where,
            hint="say `crop` and `size` in `preparation`",
        )


def _attach(
    source: PlannedSource, match: Callable[[MaskedPicture], MaskedPicture], recipe: dict[str, Any]
) -> PlannedSource:
    staging = replace(source.staging, match=match)
    return replace(source, staging=staging, recipe=source.recipe | {"matching": recipe})
