"""Computes proportion correct in m-alternative forced choice."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray


def predict_forced_choice(dprime: ArrayLike, alternatives: int = 2) -> NDArray[np.float64]:
    """Return the proportion correct of an observer without bias who chooses the largest observation.

    The target's observation is normal with mean d', the others' have mean 0; all have variance 1 and are
    independent: P = integral of phi(z) Phi(z + d')^(m - 1) dz (Green & Swets 1966; Hacker & Ratcliff 1979).

    Parameters
    ----------
    dprime : array_like
        Sensitivity in standard deviations; negative values give less than chance.
    alternatives : int
        Number of alternatives m, at least 2; chance is 1 / m.

    Returns
    -------
    ndarray
        Proportions, in the shape of `dprime`.

    Examples
    --------
    >>> predict_forced_choice([0, 1, 2, 3], 3).round(4).tolist()
    [0.3333, 0.6337, 0.8658, 0.9688]
    """
    from scipy.special import ndtr

    values = np.asarray(dprime, dtype=float)
    if alternatives == 2:
        return np.asarray(ndtr(values / np.sqrt(2)))
    nodes, weights = _normal_quadrature()
    return np.asarray((ndtr(nodes + values[..., None]) ** (alternatives - 1)) @ weights)


@cache
def _normal_quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes and weights of an integral over a standard normal density."""
    from scipy.special import roots_hermitenorm

    nodes, weights = roots_hermitenorm(150)
    return nodes, weights / weights.sum()
