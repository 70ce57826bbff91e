"""A window with a soft edge."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stimgen.images.steps.aperture import Aperture
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

HARD = 1e-6  # a narrower edge lies between two pixels of any picture


class FlatTop(Aperture):
    """Show the picture through a window that is clear but for its edge, half a period of a cosine."""

    phrase = "a flat-topped aperture"

    name: Literal["flat_top"] = "flat_top"
    edge: Annotated[Number, Field(ge=0.0)] = 6.0
    """Width of the edge in pixels, inside the diameter: from all to nothing of the picture."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Refuse an edge that is wider than the aperture's radius."""
        smallest = min(self.radii(width, height))
        if self.edge > smallest:
            raise StimgenError(
                f"an edge of {self.edge:g} pixels has no room in an aperture with a radius of {smallest:g}"
            )
        return super().size(width, height)

    def falloff(self, distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        """Return 1 up to the edge, which is a raised cosine; 0 beyond it."""
        if self.edge < HARD:
            return np.where(distance <= radius, 1.0, 0.0)
        within = np.clip((distance - (radius - self.edge)) / self.edge, 0.0, 1.0)
        return 0.5 + 0.5 * np.cos(np.pi * within)
