"""What becomes of a synthesised picture before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stimgen.images.picture import Pair, Picture, clipped
from stimgen.images.prepare import Pixels
from stimgen.images.sequence import final_size, needs_set, placed, recipe, run, settled
from stimgen.images.steps import Step
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.protocol_pictures import Photographs
from stimgen.reading.errors import Location, StimgenError


class Saved(NamedTuple):
    """What is saved of a picture."""

    pixels: Pixels
    """Height x width x channels, not clipped yet."""
    clipped: float
    """Fraction of the values that rounding will clip to [0, 1]."""


@dataclass(frozen=True)
class Finishing:
    """The steps after the synthesis of a condition's stimuli, none of which wants the set's mean any more.

    Attributes
    ----------
    steps : tuple of Step
        In their order.
    where : Location
        The line that names them.
    """

    steps: tuple[Step, ...]
    where: Location

    def __bool__(self) -> bool:
        """Return whether there is any step."""
        return bool(self.steps)

    def added_to(self, of_method: dict[str, Any]) -> dict[str, Any]:
        """Return the recipe of a method with these steps in its settings."""
        if not self.steps:
            return of_method
        return of_method | {"settings": of_method["settings"] | {"after": recipe(self.steps)}}

    def finish(self, pixels: Pixels, source: PlannedSource, prepared: Pixels) -> Saved:
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
        pair = Pair(Picture.whole(pixels, screen), Picture.whole(prepared, screen))
        try:
            shown = run(self.steps, pair).shown()
        except StimgenError as error:
            raise self._named(error, source) from None
        return Saved(shown, clipped(shown))

    def beside(self, source: PlannedSource, prepared: Pixels) -> Pixels:
        """Return a source as it is to be compared with its stimuli: behind the same crops and apertures."""
        return placed(self.steps, Picture.whole(prepared, source.staging.screen)).shown()

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
        return error.about(f"after: source {source.id!r}").located(self.where)


def plan_finishing(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], photographs: Photographs
) -> Finishing:
    """Return the steps after the synthesis of condition `i`, checked for its sources.

    Raises
    ------
    StimgenError
        A source has no room for a step, or not what a step measures.
    """
    steps = loaded.protocol.conditions[i].after
    where = loaded.where(i, "after")
    if needs_set(steps):
        pictures = (
            (source.id, Picture.whole(source.pixels(), source.staging.screen))
            for source in photographs.sources
        )
        try:
            steps = settled(steps, pictures)
        except StimgenError as error:
            raise error.located(where) from None
    finishing = Finishing(steps, where)
    for source in sources:
        finishing.check(source)
    return finishing
