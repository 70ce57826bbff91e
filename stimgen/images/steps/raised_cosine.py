"""A window without edges."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stimgen.images.steps.aperture import Aperture


class RaisedCosine(Aperture):
    """Show the picture through a raised-cosine window, which falls off from its centre on (von Hann)."""

    phrase = "a raised-cosine aperture"

    name: Literal["raised_cosine"] = "raised_cosine"

    def falloff(self, distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        """Return 1/2 (1 + cos(pi r / R))."""
        return 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / radius, 1.0))
