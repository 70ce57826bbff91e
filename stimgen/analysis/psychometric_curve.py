"""Defines the psychometric functions that are fitted, and the counts that they are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimgen.sensitivity import DecisionModel

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LevelCounts:
    """Holds correct trials and all trials at each level of an ordered variable."""

    levels: Values
    correct: Values
    trials: Values


@dataclass(frozen=True)
class Curve:
    """Represents a psychometric function without its parameters.

    Parameters
    ----------
    function : str
        ``logistic`` and ``normal`` (cumulative), ``weibull``, or ``critical_scaling``: d'^2 is
        ``gain^2 (1 - s0^2 / s^2)`` above the critical scaling s0, and 0 below it (Freeman & Simoncelli 2011).
    guess : float
        Proportion correct by chance.
    logarithmic : bool
        Whether ``logistic`` and ``normal`` are functions of the logarithm of the level.
    model : DecisionModel, optional
        The task, for ``critical_scaling``.
    """

    function: str
    guess: float
    logarithmic: bool = False
    model: DecisionModel | None = None

    @property
    def is_log(self) -> bool:
        """Return whether the threshold is found along the logarithm of the level."""
        return self.logarithmic or self.function in ("weibull", "critical_scaling")

    def to_axis(self, levels: Values) -> Values:
        """Return levels as the function takes them."""
        return np.log(levels) if self.is_log else levels

    def from_axis(self, places: Values) -> Values:
        """Return levels of places along the axis of the function."""
        return np.exp(places) if self.is_log else places

    def predict(self, axis: Values, place: Values, steepness: Values, lapse: Values) -> Values:
        """Return proportions correct.

        Parameters
        ----------
        axis : ndarray
            Places of the levels, see `to_axis`.
        place : ndarray
            Place of the threshold: halfway between chance and the best performance; or of s0.
        steepness : ndarray
            Slope of the function's argument per unit of the axis; or the gain.
        lapse : ndarray
            Rate of answers that do not depend on the level.
        """
        from scipy.special import expit, ndtr

        if self.function == "critical_scaling":
            assert self.model is not None
            above = np.maximum(0.0, 1 - np.exp(2 * (place - axis)))
            return self.model.predict(steepness * np.sqrt(above)) * (1 - lapse) + self.guess * lapse
        argument = steepness * (axis - place)
        if self.function == "weibull":
            share = -np.expm1(-np.log(2) * np.exp(np.minimum(argument, 30.0)))
        else:
            share = expit(argument) if self.function == "logistic" else ndtr(argument)
        return np.asarray(self.guess + (1 - self.guess - lapse) * share)
