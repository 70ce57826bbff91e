"""RMS contrast, set or matched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from stimgen.images.picture import MaskedPicture
from stimgen.images.steps.base import WORD_OR_NUMBER, MatchingStep, TargetWord
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

Rms = Annotated[TargetWord | Annotated[Number, Field(gt=0.0, le=100.0), Tag("number")], WORD_OR_NUMBER]

FLAT = 1e-6  # contrast that is only the rounding of the numbers


class Contrast(MatchingStep):
    """Set the RMS contrast by moving all light towards or from its mean, which stays."""

    phrase = "adjustment of the RMS contrast"

    name: Literal["contrast"] = "contrast"
    rms: Rms = "source"
    """Standard deviation over mean of the luminance of what is seen (Peli 1990); ``source``: the source's
    own; ``set``: the mean over all sources of the protocol."""

    @property
    def target(self) -> float | str:
        """The contrast."""
        return self.rms

    def with_target(self, value: float) -> Contrast:
        """Return the step with a number for its word."""
        return self.replace(rms=value)

    def measure(self, picture: MaskedPicture) -> float:
        """Return the RMS contrast."""
        return picture.rms_contrast()

    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        """Return the picture with its light spread about the mean, each colour's about its own."""
        contrast = self.measure(picture)
        if contrast < FLAT:
            raise StimgenError("the picture is flat, so that no spreading gives it contrast")
        mean = picture.weighted_mean(picture.light)
        return picture.with_light(mean + (picture.light - mean) * (value / contrast))
