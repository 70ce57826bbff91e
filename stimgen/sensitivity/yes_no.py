"""Computes rates, sensitivity and criterion in the yes-no task."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def predict_yes_no(
    dprime: ArrayLike, criterion: ArrayLike = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates of hits and of false alarms (Green & Swets 1966; equal variances).

    Parameters
    ----------
    dprime : array_like
        Sensitivity in standard deviations.
    criterion : array_like
        Distance c of the criterion from the midpoint of the two distributions; a positive value means more
        answers "no".

    Returns
    -------
    tuple of ndarray
        Hit rate and false-alarm rate.

    Examples
    --------
    >>> [round(float(rate), 4) for rate in predict_yes_no(1.0)]
    [0.6915, 0.3085]
    """
    from scipy.special import ndtr

    half, place = np.asarray(dprime, dtype=float) / 2, np.asarray(criterion, dtype=float)
    return np.asarray(ndtr(half - place)), np.asarray(ndtr(-half - place))


def solve_yes_no(hits: ArrayLike, alarms: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return d' = z(H) - z(F) and the criterion c = -(z(H) + z(F)) / 2.

    Parameters
    ----------
    hits, alarms : array_like
        Rates from 0 to 1; see `correct_counts` for rates of 0 and 1, which give infinite values.

    Returns
    -------
    tuple of ndarray
        d' and c, both in standard deviations.

    Examples
    --------
    >>> [round(float(one), 3) for one in solve_yes_no(0.8, 0.3)]
    [1.366, -0.159]
    """
    from scipy.special import ndtri

    z_hits, z_alarms = ndtri(np.asarray(hits, dtype=float)), ndtri(np.asarray(alarms, dtype=float))
    with np.errstate(invalid="ignore"):
        return np.asarray(z_hits - z_alarms), np.asarray(-(z_hits + z_alarms) / 2)
