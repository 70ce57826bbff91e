"""Predicts and fits answers to which of two pairs differs more: maximum likelihood difference scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.reading.errors import StimgenError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DifferenceScale:
    """Holds a perceptual scale, from 0 for the first item to 1 for the last."""

    values: tuple[float, ...]
    """Value of every item, in order."""
    noise: float
    """Standard deviation of the noise of a decision, in units of the scale."""
    log_likelihood: float
    trials: int


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
        The scale; it need not rise.

    Raises
    ------
    StimgenError
        There are fewer than three items or no trials, or the last item differs from the first by nothing.
    """
    from scipy.optimize import minimize

    if items < 3 or not shown:
        raise StimgenError("a scale needs at least three items, and answers about them")
    differences = np.array([_list_weights(trial, items) for trial in shown])
    signs = np.where(np.asarray(second, dtype=bool), 1.0, -1.0)
    start = np.linspace(0.0, 1.0, items)[1:]
    found = minimize(_compute_cost, start, (differences[:, 1:] * signs[:, None],), jac=True, method="BFGS")
    weights = np.concatenate([[0.0], found.x])
    if weights[-1] <= 0:
        raise StimgenError("the answers give no scale: the last item is not beyond the first")
    values = tuple(float(weight / weights[-1]) for weight in weights)
    return DifferenceScale(values, float(1 / weights[-1]), -float(found.fun), len(shown))


def _list_weights(trial: Sequence[int], items: int) -> Array:
    """Return how much every item contributes to the second difference minus the first."""
    weights = np.zeros(items)
    for pair, sign in ((trial[:2], -1.0), (trial[-2:], 1.0)):
        weights[max(pair)] += sign
        weights[min(pair)] -= sign
    return weights


def _compute_cost(weights: Array, differences: Array) -> tuple[float, Array]:
    """Return the negative log likelihood and its gradient, with a little ridge that keeps it finite."""
    from scipy.special import log_ndtr

    z = differences @ weights
    log_probability = log_ndtr(z)
    slope = np.exp(-z * z / 2 - log_probability) / np.sqrt(2 * np.pi)
    ridge = 1e-4
    cost = -float(log_probability.sum()) + ridge * float(weights @ weights)
    return cost, -(slope @ differences) + 2 * ridge * weights
