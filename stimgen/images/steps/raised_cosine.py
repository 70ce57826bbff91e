"""Shows pictures through an aperture without edges."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.images.steps.aperture import Aperture


class RaisedCosine(Aperture):
    """Shows the picture through a raised-cosine (von Hann) window: 1/2 (1 + cos(pi r / R))."""

    phrase = "a raised-cosine aperture"

    name: Literal["raised_cosine"] = "raised_cosine"

    @override
    def falloff(self, distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        return 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / radius, 1.0))
