"""Inverts functions that rise with d'."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

HIGHEST = 20.0
"""Largest d' that is looked for; a larger one is infinite."""
MOST_STEPS = 150

Values = NDArray[np.float64]


def find_crossing(
    function: Callable[[Values], Values], values: Values, low: float = 0.0, high: float = HIGHEST
) -> Values:
    """Return where a rising function takes values, each to about 1e-9.

    The method is Chandrupatla's (1997, Advances in Engineering Software 28, 145-149): inverse quadratic
    interpolation where it is safe, and bisection elsewhere. What is found for a value does not depend on the
    others.

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
    other, last = np.full(values.shape, low), np.full(values.shape, high)
    other_error, error = function(other) - values, function(last) - values
    is_below, is_beyond = other_error >= 0, (error < 0) | (values >= 1.0)
    done = is_below | is_beyond | np.isnan(values)
    share, tolerance = np.full(values.shape, 0.5), (high - low) * 2.0**-37
    for _ in range(MOST_STEPS):
        if done.all():
            break
        place = np.where(done, last, last + share * (other - last))
        found = np.where(done, error, function(place) - values)
        # The place before last is kept, for interpolation; the crossing lies between the last and the other.
        crossed = ~done & ((found > 0) != (error > 0))
        third, third_error = np.where(crossed, other, last), np.where(crossed, other_error, error)
        other, other_error = np.where(crossed, last, other), np.where(crossed, error, other_error)
        last, error = place, found
        least = np.divide(tolerance, np.abs(other - last), out=np.ones_like(last), where=other != last)
        done = done | (least > 0.5) | (error == 0)
        share = np.clip(
            _interpolate((last, other, third), (error, other_error, third_error)), least, 1 - least
        )
    best = np.where(np.abs(error) < np.abs(other_error), last, other)
    return np.where(np.isnan(values), np.nan, np.where(is_beyond, np.inf, np.where(is_below, low, best)))


def _interpolate(places: tuple[Values, Values, Values], errors: tuple[Values, Values, Values]) -> Values:
    """Return how far from the first place to the second the crossing should lie; or halfway."""
    (a, b, c), (fa, fb, fc) = places, errors
    with np.errstate(all="ignore"):
        along, risen = (a - b) / (c - b), (fa - fb) / (fc - fb)
        is_safe = (risen**2 < along) & ((1 - risen) ** 2 < 1 - along)
        share = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(is_safe & np.isfinite(share), share, 0.5)
