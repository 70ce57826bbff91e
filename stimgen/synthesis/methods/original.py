"""The source itself, as a stimulus."""

from __future__ import annotations

from typing import ClassVar, Literal

from stimgen.images.prepare import Pixels
from stimgen.synthesis.methods.base import SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod


class OriginalMethod(DirectMethod):
    """The source itself: the control that every comparison with originals needs in the set."""

    phrase = "the source images themselves"

    name: Literal["original"] = "original"
    seeded: ClassVar[bool] = False

    def parameters(self, width: int, height: int) -> int:
        """Return none: nothing is measured."""
        del width, height
        return 0

    def picture(self, item: SynthesisItem) -> Pixels:
        """Return the source."""
        return item.source
