"""Gives pictures exactly a certain histogram, and keeps their structure while doing so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Plane
from stimgen.reading.random_numbers import random_words

Order = NDArray[np.intp]

# The neighbourhoods of Coltuc, Bolon & Chassery (2006), section III: 5, 9, 13, 21 and 25 pixels.
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SQUARE = np.ones((3, 3))
DIAMOND = np.array([[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]])
OCTAGON = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]])
LARGE_SQUARE = np.ones((5, 5))
NEIGHBOURHOODS = (CROSS, SQUARE, DIAMOND, OCTAGON, LARGE_SQUARE)
GRID = 2.0**-40  # means that differ by less are equal, but for the rounding of sums

# Avanaki (2009) steps by 67 times the gradient of the summed similarity, with grey levels from 0 to 255.
STEP = 67.0 / 255.0**2
SSIM_SIGMA = 1.5
SSIM_SMALLEST = 11  # pixels on the shorter side, the width of the window


class MatchedHistogram(NamedTuple):
    """Holds a picture with the wanted histogram, and how similar it is to what it was made from."""

    plane: Plane
    ssim: float | None
    """Mean structural similarity (Wang et al. 2004); None where it was not measured."""


def order_pixels(plane: Plane, inside: NDArray[np.bool_]) -> Order:
    """Return the indices of the pixels inside a mask, from dark to light, in a strict order.

    Equal pixels are ordered by the means of growing neighbourhoods (Coltuc, Bolon & Chassery 2006, equation
    5), and, where all of these are equal, in a fixed order that is random over positions. A fixed order from
    left to right would turn even areas into ramps.
    """
    from scipy.ndimage import convolve

    where = np.flatnonzero(inside)
    values = plane.ravel()[where]
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    same = np.flatnonzero(ranked[1:] == ranked[:-1])
    if not same.size:
        return where[order]
    tied = np.zeros(len(where), dtype=bool)
    tied[same] = tied[same + 1] = True
    places = order[tied]
    keys = [random_words(plane.size, "order of equal pixels")[where[places]]]
    for kernel in reversed(NEIGHBOURHOODS):
        means = convolve(plane, kernel / kernel.sum(), mode="mirror").ravel()[where[places]]
        keys.append(np.rint(means / GRID).astype(np.int64).astype(np.uint64))
    # Tied pixels trade places with their equals only, because the value itself is the first key.
    order[tied] = places[np.lexsort([*keys, values[places]])]
    return where[order]


def specify_histogram(plane: Plane, inside: NDArray[np.bool_], rising: Plane) -> Plane:
    """Return a picture whose pixels inside the mask have exactly the values `rising`, in their old order."""
    specified = plane.copy()
    specified.ravel()[order_pixels(plane, inside)] = rising
    return specified


def specify_similar(plane: Plane, inside: NDArray[np.bool_], rising: Plane, steps: int) -> MatchedHistogram:
    """Return a picture with exactly the values `rising` that is as similar to `plane` as `steps` make it.

    Every step goes up the gradient of structural similarity, and specifies the histogram again (Avanaki
    2009). A step that lowers the similarity is taken back, and the next one is half as long; the paper keeps
    its length.
    """
    best = specify_histogram(plane, inside, rising)
    similarity, gradient = measure_similarity(plane, best)
    length = STEP
    for _ in range(steps):
        moved = best + length * plane.size * gradient
        tried = specify_histogram(np.where(inside, moved, best), inside, rising)
        found, slope = measure_similarity(plane, tried)
        if found > similarity:
            best, similarity, gradient = tried, found, slope
        else:
            length /= 2
    return MatchedHistogram(best, similarity)


def measure_similarity(plane: Plane, other: Plane) -> tuple[float, Plane]:
    """Return the structural similarity of two pictures, and its gradient by the values of `other`."""
    from skimage.metrics import structural_similarity

    settings = {"sigma": SSIM_SIGMA, "gaussian_weights": True, "use_sample_covariance": False}
    # The gradient is that of Avanaki (2009), equations 7 and 8.
    similarity, gradient = structural_similarity(  # type: ignore[no-untyped-call] # it ships no types
        plane, other, data_range=1.0, gradient=True, **settings
    )
    return float(similarity), gradient
