"""Inverts functions that rise with d'."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

HIGHEST = 20.0
"""Largest d' that is looked for; a larger one is infinite."""


def bisect(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: NDArray[np.float64],
    low: float = 0.0,
    high: float = HIGHEST,
) -> NDArray[np.float64]:
    """Return where a rising function takes values, each to about 1e-9.

    Parameters
    ----------
    function : callable
        Takes an array in the shape of `values`, and returns one.
    values : ndarray
        What the function is to be; NaN stays NaN.
    low, high : float
        Where to look. A value below the function's is `low`; one above it is infinite.

    Returns
    -------
    ndarray
        In the shape of `values`.
    """
    below, above = np.full(values.shape, low), np.full(values.shape, high)
    is_beyond = (values > function(above)) | (values >= 1.0)
    for _ in range(36):
        middle = (below + above) / 2
        is_low = function(middle) < values
        below, above = np.where(is_low, middle, below), np.where(is_low, above, middle)
    found = np.where(values <= function(np.full(values.shape, low)), low, (below + above) / 2)
    return np.where(np.isnan(values), np.nan, np.where(is_beyond, np.inf, found))
