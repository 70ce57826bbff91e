"""Computes confidence intervals of proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def find_wilson_interval(
    count: ArrayLike, trials: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's (1927) score interval of a proportion.

    It holds for trials that are independent and have one probability, those of one cell of one observer.

    Parameters
    ----------
    count, trials : array_like
        How often something happened, and in how many trials.
    level : float
        Confidence between 0 and 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, from 0 to 1; NaN where there are no trials.

    Examples
    --------
    >>> [round(float(limit), 4) for limit in find_wilson_interval(20, 25)]
    [0.6087, 0.9114]
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    k, n = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(trials, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = np.where(k == 0, 0.0, centre - half), np.where(k == n, 1.0, centre + half)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
