"""Predicts and fits answers to which of two pairs differs more: maximum likelihood difference scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.reading.errors import StimgenError

Array = NDArray[np.float64]


LARGEST_ERROR = 100.0
"""A scale whose standard errors are larger, in standard deviations of the noise, is not determined."""


@dataclass(frozen=True)
class DifferenceScale:
    """Holds a perceptual scale in standard deviations of the noise of a decision, from 0 for the first item.

    All numbers are NaN where answers do not determine the scale: where they are too few, or none contradicts
    another.
    """

    scale: Array
    """Value of every item, in order; they need not rise."""
    errors: Array
    """Standard errors of the values."""
    log_likelihood: float
    trials: int

    @property
    def values(self) -> Array:
        """Return the scale from 0 for the first item to 1 for the last; NaN if that is not larger."""
        last = self.scale[-1]
        return self.scale / last if last > 0 else np.full(len(self.scale), np.nan)

    @property
    def noise(self) -> float:
        """Return the standard deviation of the noise, in units of `values`."""
        return float(1 / self.scale[-1])


def predict_larger_difference(first: ArrayLike, second: ArrayLike, noise: ArrayLike) -> Array:
    """Return the probability that the second pair is said to differ more (Maloney & Yang 2003, equation 4).

    Parameters
    ----------
    first, second : array_like
        Differences within the pairs, on the perceptual scale; their signs do not matter.
    noise : array_like
        Standard deviation of the noise that is added to the difference of the two.

    Returns
    -------
    ndarray
        Probabilities.

    Examples
    --------
    >>> [round(float(predict_larger_difference(0.2, d, 0.2)), 3) for d in (0.0, 0.2, 0.4)]
    [0.159, 0.5, 0.841]
    """
    from scipy.special import ndtr

    larger = np.abs(np.asarray(second, dtype=float)) - np.abs(np.asarray(first, dtype=float))
    return np.asarray(ndtr(larger / np.asarray(noise, dtype=float)))


def fit_difference_scale(
    shown: Sequence[Sequence[int]], second: Sequence[bool], items: int
) -> DifferenceScale:
    """Return the scale with the largest likelihood, as a probit regression (Knoblauch & Maloney 2008).

    Parameters
    ----------
    shown : sequence of sequences of int
        For each trial the numbers of the items, from 0 along the scale, in the order in which they were
        shown: the two of the first pair and the two of the second; of a triad three, of which the middle one
        belongs to both.
    second : sequence of bool
        Whether the second pair was said to differ more.
    items : int
        Number of items.

    Returns
    -------
    DifferenceScale
        The scale, with the inverse of Fisher's information for its errors.

    Raises
    ------
    StimgenError
        There are fewer than three items or no trials.
    """
    if items < 3 or not len(shown):
        raise StimgenError("a scale needs at least three items, and answers about them")
    signs = np.where(np.asarray(second, dtype=bool), 1.0, -1.0)
    differences = np.array([_list_weights(trial, items) for trial in shown])[:, 1:] * signs[:, None]
    nothing = np.full(items, np.nan)
    if np.linalg.matrix_rank(differences) < items - 1:
        return DifferenceScale(nothing, nothing, float("nan"), len(shown))
    weights, information, log_likelihood = _maximise(differences)
    errors = np.sqrt(np.maximum(np.diag(np.linalg.pinv(information)), 0.0))
    is_known = bool(np.isfinite(errors).all() and errors.max() < LARGEST_ERROR and errors.min() > 0)
    if not is_known:
        return DifferenceScale(nothing, nothing, float("nan"), len(shown))
    return DifferenceScale(
        np.concatenate([[0.0], weights]), np.concatenate([[0.0], errors]), log_likelihood, len(shown)
    )


def _list_weights(trial: Sequence[int], items: int) -> Array:
    """Return how much every item contributes to the second difference minus the first."""
    weights = np.zeros(items)
    for pair, sign in ((trial[:2], -1.0), (trial[-2:], 1.0)):
        weights[max(pair)] += sign
        weights[min(pair)] -= sign
    return weights


def _maximise(differences: Array) -> tuple[Array, Array, float]:
    """Return the most likely weights by Newton's method, Fisher's information and the log-likelihood there.

    The log-likelihood of a probit regression is concave. Without a maximum, the steps go on until the
    information vanishes, or for 100 times.
    """
    from scipy.special import log_ndtr, ndtr

    weights = np.zeros(differences.shape[1])
    likelihood = float(log_ndtr(differences @ weights).sum())
    for _ in range(100):
        z = differences @ weights
        slope = np.exp(-z * z / 2 - log_ndtr(z)) / np.sqrt(2 * np.pi)
        curvature = slope * (z + slope)
        step = np.linalg.lstsq((differences.T * curvature) @ differences, slope @ differences, rcond=None)[0]
        gained = float(log_ndtr(differences @ (weights + step)).sum()) - likelihood
        while gained < 0 and np.abs(step).max() > 1e-9:
            step = step / 2
            gained = float(log_ndtr(differences @ (weights + step)).sum()) - likelihood
        weights, likelihood = weights + step, likelihood + gained
        if gained < 1e-10:
            break
    z = differences @ weights
    expected = np.exp(-z * z) / (2 * np.pi) / np.maximum(ndtr(z) * ndtr(-z), 1e-300)
    return weights, (differences.T * expected) @ differences, likelihood
