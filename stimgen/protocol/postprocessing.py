"""Applies the steps between a synthesised picture and what is saved of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stimgen.images.picture import MaskedPicture, PictureAndSource, measure_clipping
from stimgen.images.prepare import Pixels
from stimgen.images.sequence import apply_geometry, apply_steps, final_size, needs_set_mean, resolve_set_means
from stimgen.images.steps import ImageStep
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.errors import Location, StimgenError


class PostprocessedPicture(NamedTuple):
    """Holds what is saved of a picture."""

    pixels: Pixels
    """Height x width x channels, not clipped yet."""
    clipped: float
    """Fraction of the values that rounding will clip to [0, 1]."""


@dataclass(frozen=True)
class Postprocessing:
    """Holds the steps after the synthesis of a condition's stimuli; means over the set are numbers by now."""

    steps: tuple[ImageStep, ...]
    where: Location  # the line that names them

    def add_to_recipe(self, of_method: dict[str, Any]) -> dict[str, Any]:
        """Return the recipe of a method with these steps in its settings."""
        if not self.steps:
            return of_method
        after = [step.recipe() for step in self.steps]
        return of_method | {"settings": of_method["settings"] | {"after": after}}

    def finish(self, pixels: Pixels, source: PlannedSource, prepared: Pixels) -> PostprocessedPicture:
        """Return what is to be saved of a picture; raise `StimgenError` if a step is impossible.

        `pixels` is the synthesised picture, `prepared` what the model measured of its source.
        """
        screen = source.staging.screen
        pair = PictureAndSource(
            MaskedPicture.from_pixels(pixels, screen), MaskedPicture.from_pixels(prepared, screen)
        )
        try:
            shown = apply_steps(self.steps, pair).render()
        except StimgenError as error:
            raise self._locate_error(error, source) from None
        return PostprocessedPicture(shown, measure_clipping(shown))

    def place_source(self, source: PlannedSource, prepared: Pixels) -> Pixels:
        """Return a source as it is compared with its stimuli: behind the same crops and apertures."""
        return apply_geometry(self.steps, MaskedPicture.from_pixels(prepared, source.staging.screen)).render()

    def check(self, source: PlannedSource) -> None:
        """Refuse, by `StimgenError`, steps that do not fit into a source."""
        try:
            final_size(self.steps, source.shape[1], source.shape[0])
        except StimgenError as error:
            raise self._locate_error(error, source) from None

    def _locate_error(self, error: StimgenError, source: PlannedSource) -> StimgenError:
        return error.add_prefix(f"after: source {source.id!r}").add_location(self.where)


def plan_postprocessing(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], everything: Sequence[PlannedSource]
) -> Postprocessing:
    """Return the steps after the synthesis of condition `i`, checked for its sources.

    Means over the set are taken over `everything`, all sources of the protocol. Raises `StimgenError` if a
    step does not fit into a source, or cannot be measured in one.
    """
    steps, where = loaded.protocol.conditions[i].after, loaded.where(i, "after")
    if needs_set_mean(steps):
        pictures = (
            (source.id, MaskedPicture.from_pixels(source.pixels(), source.staging.screen))
            for source in everything
        )
        try:
            steps = resolve_set_means(steps, pictures)
        except StimgenError as error:
            raise error.add_location(where) from None
    postprocessing = Postprocessing(steps, where)
    for source in sources:
        postprocessing.check(source)
    return postprocessing
