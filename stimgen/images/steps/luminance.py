"""Sets or matches the mean luminance."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag
from typing_extensions import override

from stimgen.images.picture import MaskedPicture
from stimgen.images.steps.base import WORD_OR_NUMBER, MatchingStep, TargetWord
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

Mean = Annotated[TargetWord | Annotated[Number, Field(gt=0.0, le=1.0), Tag("number")], WORD_OR_NUMBER]


class Luminance(MatchingStep):
    """Sets the mean luminance by multiplying all light, which keeps RMS contrast and hues."""

    phrase = "adjustment of the mean luminance"

    name: Literal["luminance"] = "luminance"
    mean: Mean = "source"
    """Mean luminance of the visible part, where white is 1; ``source``: the source's luminance; ``set``: the
    mean over all sources of the protocol."""

    target_key: ClassVar[str] = "mean"

    @override
    def measure(self, picture: MaskedPicture) -> float:
        return picture.mean_luminance()

    @override
    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        mean = self.measure(picture)
        if mean <= 0.0:
            raise StimgenError("the picture is black, so that no factor gives it another mean luminance")
        return picture.with_light(picture.light * (value / mean))
