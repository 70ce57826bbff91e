"""Computes quantiles of distributions, without the time that importing `scipy.stats` takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def find_normal_quantile(confidence: float) -> float:
    """Return the limit that a standard normal value stays within, on both sides, at a confidence."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def find_student_quantile(confidence: float, free: ArrayLike) -> NDArray[np.float64]:
    """Return the same limit of Student's t, with its degrees of freedom.

    Examples
    --------
    >>> find_student_quantile(0.95, [1, 10]).round(3).tolist()
    [12.706, 2.228]
    """
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.asarray(free, dtype=float), (1 + confidence) / 2))
