"""Mean luminance, set or matched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from stimgen.images.picture import Picture
from stimgen.images.steps.base import WORD_OR_NUMBER, Matching, Word
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

Mean = Annotated[Word | Annotated[Number, Field(gt=0.0, le=1.0), Tag("number")], WORD_OR_NUMBER]


class Luminance(Matching):
    """Set the mean luminance by one factor for all light, which keeps RMS contrast and hues."""

    phrase = "mean luminance set"

    name: Literal["luminance"] = "luminance"
    mean: Mean = "source"
    """Mean luminance of what is seen, white being 1; ``source``: the source's own; ``set``: the mean over all
    sources of the protocol."""

    @property
    def wanted(self) -> float | str:
        """The mean."""
        return self.mean

    def settled(self, value: float) -> Luminance:
        """Return the step with a number for its word."""
        return self.but(mean=value)

    def measure(self, picture: Picture) -> float:
        """Return the mean luminance."""
        return picture.mean_luminance()

    def reach(self, picture: Picture, value: float) -> Picture:
        """Return the picture with its light multiplied."""
        mean = self.measure(picture)
        if mean <= 0.0:
            raise StimgenError("the picture is black, so that no factor gives it another mean luminance")
        return picture.with_light(picture.light * (value / mean))
