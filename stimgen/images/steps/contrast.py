"""Sets or matches the RMS contrast."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag
from typing_extensions import override

from stimgen.images.picture import MaskedPicture
from stimgen.images.steps.base import WORD_OR_NUMBER, MatchingStep, TargetWord
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

Rms = Annotated[TargetWord | Annotated[Number, Field(gt=0.0, le=100.0), Tag("number")], WORD_OR_NUMBER]

FLAT = 1e-6  # a contrast this low is only due to rounding


class Contrast(MatchingStep):
    """Sets the RMS contrast by scaling all light around its mean, which stays the same."""

    phrase = "adjustment of the RMS contrast"

    name: Literal["contrast"] = "contrast"
    rms: Rms = "source"
    """Standard deviation over mean of the luminance of the visible part; ``source``: the source's
    contrast; ``set``: the mean over all sources of the protocol."""

    target_key: ClassVar[str] = "rms"

    @override
    def measure(self, picture: MaskedPicture) -> float:
        return picture.rms_contrast()

    @override
    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        contrast = self.measure(picture)
        if contrast < FLAT:
            raise StimgenError("the picture is flat, so that scaling gives it no contrast")
        # Each channel is scaled around its own mean.
        mean = picture.compute_mean(picture.light)
        return picture.with_light(mean + (picture.light - mean) * (value / contrast))
