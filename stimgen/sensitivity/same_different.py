"""Computes rates, sensitivity and criterion in the same-different task."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.sensitivity.inversion import HIGHEST, find_crossing

Rates = tuple[NDArray[np.float64], NDArray[np.float64]]


def predict_differencing(dprime: ArrayLike, criterion: ArrayLike) -> Rates:
    """Return the rates of "different" for different pairs and for same pairs, by the differencing rule.

    Two observations that differ by more than the criterion are called different (Macmillan & Creelman 2005,
    chapter 9; Kaplan, Macmillan & Creelman 1978). It is the rule for roving designs.

    Parameters
    ----------
    dprime : array_like
        Sensitivity in standard deviations of one observation; its sign does not matter.
    criterion : array_like
        Smallest difference that is called different, in the same unit; above 0.

    Returns
    -------
    tuple of ndarray
        Hit rate and false-alarm rate.
    """
    d, k = np.asarray(dprime, dtype=float), np.asarray(criterion, dtype=float)
    return _exceed(d, k), _exceed(np.zeros_like(d), k)


def _exceed(shift: NDArray[np.float64], criterion: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtr

    root = np.sqrt(2)
    return np.asarray(ndtr((shift - criterion) / root) + ndtr((-shift - criterion) / root))


def solve_differencing(hits: ArrayLike, alarms: ArrayLike) -> Rates:
    """Return d' and the criterion that give these rates by the differencing rule.

    Parameters
    ----------
    hits, alarms : array_like
        Rates of "different" for different and for same pairs, from 0 to 1. Fewer hits than false alarms give
        d' = 0.

    Returns
    -------
    tuple of ndarray
        d' and the criterion, both in standard deviations of one observation.

    Examples
    --------
    >>> rates = predict_differencing(2.0, 1.5)
    >>> [round(float(one), 4) for one in solve_differencing(*rates)]
    [2.0, 1.5]
    """
    from scipy.special import ndtri

    high, low = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(alarms, dtype=float))
    criterion = np.asarray(-np.sqrt(2) * ndtri(low / 2))
    return find_crossing(lambda d: _exceed(d, criterion), high), criterion


def predict_likelihood(dprime: ArrayLike, criterion: ArrayLike = 0.0) -> Rates:
    """Return the rates of "different" for different and same pairs, by the likelihood-ratio rule.

    The observer knows both distributions, whose four pairs are equally frequent, and says "different" where
    the logarithm of the likelihood ratio is above the criterion (Noreen 1981; Macmillan & Creelman 2005,
    chapter 9, as independent observations). With criterion 0 the proportion correct is
    Phi(d'/2)^2 + Phi(-d'/2)^2.

    Parameters
    ----------
    dprime : array_like
        Sensitivity in standard deviations of one observation; its sign does not matter.
    criterion : array_like
        Natural logarithm of the likelihood ratio of "different" to "same" from which on it is "different".

    Returns
    -------
    tuple of ndarray
        Hit rate and false-alarm rate.
    """
    d, beta = np.broadcast_arrays(np.abs(np.asarray(dprime, dtype=float)), np.asarray(criterion, dtype=float))
    return _compute_rate(d, beta, 1.0, 0.0), _compute_rate(d, beta, 0.0, 1.0)


def _compute_rate(
    dprime: NDArray[np.float64], criterion: NDArray[np.float64], difference: float, total: float
) -> NDArray[np.float64]:
    """Return how often log(cosh(a u) / cosh(a v)) exceeds the criterion, with a = d'/sqrt(2).

    u is the scaled difference of the two observations, v their scaled sum; they are independent, and the mean
    of one of them is a or -a.
    """
    from scipy.special import ndtr

    a = np.maximum(dprime, 1e-9)[..., None] / np.sqrt(2)
    beta = criterion[..., None]
    # Below `start` the ratio exceeds even at u = 0. Above it, the root in the threshold is smooth in t.
    start = _invert_log_cosh(-beta) / a
    nodes, weights = _unit_quadrature()
    longest = np.sqrt(12 + a)
    t = nodes * longest
    v, widths = start + t**2, 2 * t * weights * longest
    threshold = _invert_log_cosh(_log_cosh(a * v) + beta) / a
    density = (np.exp(-((v - total * a) ** 2) / 2) + np.exp(-((v + total * a) ** 2) / 2)) / np.sqrt(2 * np.pi)
    exceeds = ndtr(difference * a - threshold) + ndtr(-difference * a - threshold)
    below = ndtr(start - total * a) - ndtr(-start - total * a)
    return np.asarray(below[..., 0] + (density * exceeds * widths).sum(-1))


@cache
def _unit_quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes and weights of an integral from 0 to 1."""
    from scipy.special import roots_legendre

    nodes, weights = roots_legendre(120)
    return (nodes + 1) / 2, weights / 2


def _log_cosh(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.logaddexp(x, -x) - np.log(2))


def _invert_log_cosh(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the positive x whose log(cosh(x)) is y; 0 where y is negative."""
    y = np.maximum(y, 0.0)
    # cosh(x) = exp(y), so that x = y + log(1 + sqrt(1 - exp(-2 y))).
    return np.asarray(y + np.log1p(np.sqrt(-np.expm1(-2 * y))))


def solve_likelihood(hits: ArrayLike, alarms: ArrayLike) -> Rates:
    """Return d' and the criterion that give these rates by the likelihood-ratio rule.

    Parameters
    ----------
    hits, alarms : array_like
        Rates of "different" for different and for same pairs, from 0 to 1. Fewer hits than false alarms give
        d' = 0.

    Returns
    -------
    tuple of ndarray
        d' in standard deviations of one observation, and the logarithm of the likelihood ratio; it is not a
        number where d' is 0 or infinite.

    Examples
    --------
    >>> rates = predict_likelihood(2.0, 0.3)
    >>> [round(float(one), 4) for one in solve_likelihood(*rates)]
    [2.0, 0.3]
    """
    high, low = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(alarms, dtype=float))

    def criterion_at(d: NDArray[np.float64]) -> NDArray[np.float64]:
        # A log likelihood ratio lies within +-d'^2 or so, and further out for rates near 0 and 1.
        span = d * (d + 12.0) + 1e-12
        place = find_crossing(lambda t: 1 - _compute_rate(d, (2 * t - 1) * span, 0.0, 1.0), 1 - low, 0.0, 1.0)
        return (2 * place - 1) * span

    dprime = find_crossing(lambda d: _compute_rate(d, criterion_at(d), 1.0, 0.0), high, 1e-3, HIGHEST)
    dprime = np.where(dprime <= 2e-3, 0.0, dprime)
    known = np.isfinite(dprime) & (dprime > 0)
    criterion = np.where(known, criterion_at(np.where(known, dprime, 1.0)), np.nan)
    return dprime, criterion
