"""Mean luminance, set or matched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from stimgen.images.picture import MaskedPicture
from stimgen.images.steps.base import WORD_OR_NUMBER, MatchingStep, TargetWord
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

Mean = Annotated[TargetWord | Annotated[Number, Field(gt=0.0, le=1.0), Tag("number")], WORD_OR_NUMBER]


class Luminance(MatchingStep):
    """Set the mean luminance by one factor for all light, which keeps RMS contrast and hues."""

    phrase = "adjustment of the mean luminance"

    name: Literal["luminance"] = "luminance"
    mean: Mean = "source"
    """Mean luminance of what is seen, white being 1; ``source``: the source's own; ``set``: the mean over all
    sources of the protocol."""

    @property
    def target(self) -> float | str:
        """The mean."""
        return self.mean

    def with_target(self, value: float) -> Luminance:
        """Return the step with a number for its word."""
        return self.replace(mean=value)

    def measure(self, picture: MaskedPicture) -> float:
        """Return the mean luminance."""
        return picture.mean_luminance()

    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        """Return the picture with its light multiplied."""
        mean = self.measure(picture)
        if mean <= 0.0:
            raise StimgenError("the picture is black, so that no factor gives it another mean luminance")
        return picture.with_light(picture.light * (value / mean))
