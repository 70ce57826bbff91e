"""Computes proportion correct in ABX and match to sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def predict_abx(dprime: ArrayLike, rule: str = "differencing", shift: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Return the proportion correct of an observer without bias (Macmillan & Creelman 2005, chapter 9).

    Parameters
    ----------
    dprime : array_like
        Sensitivity to the difference between A and B, in standard deviations; its sign does not matter.
    rule : str
        ``differencing``: the one of A and B that differs less from X (roving designs). ``independent``: the
        order of A and B, and what X is, are decided separately (fixed designs).
    shift : array_like
        With ``independent``, the distance of the criterion for X from the midpoint between A and B, where it
        lies for other d' of the same experiment.

    Returns
    -------
    ndarray
        Proportions from 1/2, in the shape of `dprime`.

    Examples
    --------
    >>> predict_abx([1, 2, 3]).round(4).tolist()
    [0.5825, 0.7468, 0.8765]
    >>> predict_abx([1, 2, 3], "independent").round(4).tolist()
    [0.5997, 0.7877, 0.9185]
    """
    from scipy.special import ndtr

    values = np.asarray(dprime, dtype=float)
    order = ndtr(values / np.sqrt(2))
    off = np.asarray(shift, dtype=float)
    other = (ndtr(values / 2 + off) + ndtr(values / 2 - off)) / 2
    if rule == "differencing":
        other = ndtr(values / np.sqrt(6))
    return np.asarray(order * other + (1 - order) * (1 - other))
