"""The source itself, as a stimulus."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, Literal

import torch

from stimgen.synthesis.methods.base import Batch, Known, Method, Result, Step


class Original(Method):
    """The source itself: the control that every comparison with originals needs in the set."""

    name: Literal["original"] = "original"
    seeded: ClassVar[bool] = False

    def parameters(self, width: int, height: int) -> int:
        """Return none: nothing is measured."""
        del width, height
        return 0

    def recipe(self, known: Known) -> dict[str, Any]:
        """Return the name."""
        del known
        return {"terms": [], "settings": {"method": self.name}}

    def memory(self, width: int, height: int, channels: int) -> int:
        """Return the bytes of one picture."""
        return 4 * width * height * channels

    def run(self, batch: Batch, device: torch.device) -> Generator[Step, None, Result]:
        """Return the sources."""
        del device
        yield from ()
        count = len(batch.items)
        return Result([item.source for item in batch.items], None, [[]] * count, ["made"] * count, None, [])
