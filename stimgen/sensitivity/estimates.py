"""Estimates d' from counts of trials, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.sensitivity.correction import correct_counts
from stimgen.sensitivity.intervals import find_wilson_interval
from stimgen.sensitivity.models import DecisionModel

Values = NDArray[np.float64]


class DprimeEstimate(NamedTuple):
    """Holds d' with its interval; the criterion is NaN in tasks without one."""

    dprime: Values
    low: Values
    high: Values
    criterion: Values


class Counts(NamedTuple):
    """Holds how often something happened, and in how many trials."""

    number: ArrayLike
    trials: ArrayLike


def estimate_from_correct(
    model: DecisionModel, correct: Counts, correction: str = "1/(2N)", level: float = 0.95
) -> DprimeEstimate:
    """Return d' from the number of correct trials.

    The interval is Wilson's of the proportion, carried through the model; so it has the same coverage, and
    its upper limit is infinite where every trial was correct.

    Parameters
    ----------
    model : DecisionModel
        The task and its decision rule.
    correct : Counts
        Correct trials, and all trials.
    correction : str
        What is done with proportions of 0 and 1, see `CORRECTIONS`; it concerns the estimate only.
    level : float
        Confidence between 0 and 1.

    Returns
    -------
    DprimeEstimate
        NaN where there are no trials.
    """
    low, high = find_wilson_interval(*correct, level)
    found = model.invert(correct_counts(*correct, correction))
    return DprimeEstimate(found, model.invert(low), model.invert(high), np.full_like(found, np.nan))


def estimate_from_rates(
    model: DecisionModel,
    hits: Counts,
    alarms: Counts,
    correction: str = "log-linear",
    level: float = 0.95,
) -> DprimeEstimate:
    """Return d' and the criterion from the numbers of hits and false alarms.

    The interval combines Wilson's of both rates by their distances from the estimate, in quadrature (MOVER:
    Zou & Donner 2008).

    Parameters
    ----------
    model : DecisionModel
        The task and its decision rule.
    hits, alarms : Counts
        Hits with the trials in which a hit was possible, and false alarms with the other trials.
    correction : str
        What is done with rates of 0 and 1, see `CORRECTIONS`.
    level : float
        Confidence between 0 and 1.

    Returns
    -------
    DprimeEstimate
        NaN where there are no trials of one kind.
    """
    hit, alarm = correct_counts(*hits, correction), correct_counts(*alarms, correction)
    dprime, criterion = model.invert_rates(hit, alarm)
    hit_low, hit_high = find_wilson_interval(*hits, level)
    alarm_low, alarm_high = find_wilson_interval(*alarms, level)
    with np.errstate(invalid="ignore"):
        down = _combine(
            dprime - model.invert_rates(np.minimum(hit_low, hit), alarm)[0],
            dprime - model.invert_rates(hit, np.maximum(alarm_high, alarm))[0],
        )
        up = _combine(
            model.invert_rates(np.maximum(hit_high, hit), alarm)[0] - dprime,
            model.invert_rates(hit, np.minimum(alarm_low, alarm))[0] - dprime,
        )
        return DprimeEstimate(dprime, dprime - down, dprime + up, criterion)


def _combine(first: Values, second: Values) -> Values:
    return np.asarray(np.sqrt(np.square(first) + np.square(second)))
