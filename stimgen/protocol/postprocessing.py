"""What becomes of a synthesised picture before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stimgen.images.picture import MaskedPicture, PictureAndSource, clipped_fraction
from stimgen.images.prepare import Pixels
from stimgen.images.sequence import (
    apply_geometry,
    apply_steps,
    final_size,
    needs_set_mean,
    resolve_set_means,
    step_recipes,
)
from stimgen.images.steps import ImageStep
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.protocol_pictures import ProtocolPictures
from stimgen.reading.errors import Location, StimgenError


class PostprocessedPicture(NamedTuple):
    """What is saved of a picture."""

    pixels: Pixels
    """Height x width x channels, not clipped yet."""
    clipped: float
    """Fraction of the values that rounding will clip to [0, 1]."""


@dataclass(frozen=True)
class Postprocessing:
    """The steps after the synthesis of a condition's stimuli, none of which wants the set's mean any more.

    Attributes
    ----------
    steps : tuple of ImageStep
        In their order.
    where : Location
        The line that names them.
    """

    steps: tuple[ImageStep, ...]
    where: Location

    def __bool__(self) -> bool:
        """Return whether there is any step."""
        return bool(self.steps)

    def add_to_recipe(self, of_method: dict[str, Any]) -> dict[str, Any]:
        """Return the recipe of a method with these steps in its settings."""
        if not self.steps:
            return of_method
        return of_method | {"settings": of_method["settings"] | {"after": step_recipes(self.steps)}}

    def finish(self, pixels: Pixels, source: PlannedSource, prepared: Pixels) -> PostprocessedPicture:
        """Return what is to be saved of a picture.

        Parameters
        ----------
        pixels, prepared : Pixels
            The synthesised picture and what the model measured of its source.
        source : PlannedSource
            The source.

        Raises
        ------
        StimgenError
            A step is impossible.
        """
        screen = source.staging.screen
        pair = PictureAndSource(
            MaskedPicture.unmasked(pixels, screen), MaskedPicture.unmasked(prepared, screen)
        )
        try:
            shown = apply_steps(self.steps, pair).render()
        except StimgenError as error:
            raise self._named(error, source) from None
        return PostprocessedPicture(shown, clipped_fraction(shown))

    def place_source(self, source: PlannedSource, prepared: Pixels) -> Pixels:
        """Return a source as it is to be compared with its stimuli: behind the same crops and apertures."""
        return apply_geometry(self.steps, MaskedPicture.unmasked(prepared, source.staging.screen)).render()

    def check(self, source: PlannedSource) -> None:
        """Refuse steps for which a source has no room.

        Raises
        ------
        StimgenError
            With the step.
        """
        try:
            final_size(self.steps, source.shape[1], source.shape[0])
        except StimgenError as error:
            raise self._named(error, source) from None

    def _named(self, error: StimgenError, source: PlannedSource) -> StimgenError:
        return error.add_prefix(f"after: source {source.id!r}").add_location(self.where)


def plan_postprocessing(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], photographs: ProtocolPictures
) -> Postprocessing:
    """Return the steps after the synthesis of condition `i`, checked for its sources.

    Raises
    ------
    StimgenError
        A source has no room for a step, or not what a step measures.
    """
    steps = loaded.protocol.conditions[i].after
    where = loaded.where(i, "after")
    if needs_set_mean(steps):
        pictures = (
            (source.id, MaskedPicture.unmasked(source.pixels(), source.staging.screen))
            for source in photographs.sources
        )
        try:
            steps = resolve_set_means(steps, pictures)
        except StimgenError as error:
            raise error.add_location(where) from None
    finishing = Postprocessing(steps, where)
    for source in sources:
        finishing.check(source)
    return finishing
