"""Uses the source itself as a stimulus."""

from __future__ import annotations

from typing import ClassVar, Literal

from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.synthesis.methods.base import SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod


class OriginalMethod(DirectMethod):
    """Returns the source itself, the control for every comparison with originals."""

    phrase = "the source images themselves"

    name: Literal["original"] = "original"
    seeded: ClassVar[bool] = False

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        return 0

    @override
    def make_picture(self, item: SynthesisItem) -> Pixels:
        return item.source
