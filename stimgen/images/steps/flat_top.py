"""Shows pictures through an aperture with a soft edge."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import ImageSize
from stimgen.images.steps.aperture import Aperture
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number

HARD = 1e-6  # in any picture, a narrower edge is between two pixels


class FlatTop(Aperture):
    """Shows the picture through a clear window whose edge is half a period of a cosine."""

    phrase = "a flat-topped aperture"

    name: Literal["flat_top"] = "flat_top"
    edge: Annotated[Number, Field(ge=0.0)] = 6.0
    """Width in pixels of the edge, inside the diameter, from all to nothing of the picture."""

    @override
    def size(self, width: int, height: int) -> ImageSize:
        smallest = min(self.radii(width, height))
        if self.edge > smallest:
            what = f"an aperture with a radius of {smallest:g}"
            raise StimgenError(f"an edge of {self.edge:g} pixels does not fit into {what}")
        return super().size(width, height)

    @override
    def falloff(self, distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        if self.edge < HARD:
            return np.where(distance <= radius, 1.0, 0.0)
        within = np.clip((distance - (radius - self.edge)) / self.edge, 0.0, 1.0)
        return 0.5 + 0.5 * np.cos(np.pi * within)
