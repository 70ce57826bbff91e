"""Fits psychometric functions by maximum likelihood, with guess and lapse rates and profile intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stimgen.analysis.goodness_of_fit import measure_fit
from stimgen.analysis.likelihood_grid import Estimate, GridSearch
from stimgen.analysis.psychometric_curve import Curve, LevelCounts, Values


@dataclass(frozen=True)
class PsychometricFit:
    """Holds a fitted psychometric function."""

    curve: Curve
    threshold: Estimate
    """In the unit of the level."""
    slope: Estimate
    """Steepness along the axis of the function, see `Curve.predict`."""
    lapse: float
    deviance: float
    fit_p: float
    """Share of simulated data that fit worse (Wichmann & Hill 2001); a small one speaks against the fit. NaN
    for two levels, through which the function goes exactly."""

    def predict(self, levels: Values) -> Values:
        """Return the proportions correct at levels."""
        place = self.curve.to_axis(np.array(self.threshold.value))
        slope, lapse = np.array(self.slope.value), np.array(self.lapse)
        return self.curve.predict(self.curve.to_axis(levels), place, slope, lapse)


def fit_psychometric(
    counts: LevelCounts, curve: Curve, confidence: float = 0.95, seed: int = 1
) -> PsychometricFit | None:
    """Fit a psychometric function by maximum likelihood.

    The likelihood is computed over a grid of threshold, slope and lapse rate, and over a finer one where it
    is large. So there is no start to choose and no local maximum to end in. Intervals are those of the
    profile likelihood. Whether performance rises or falls with the level is taken from the data.

    Parameters
    ----------
    counts : LevelCounts
        Counts of at least two levels; those of logarithmic functions are positive.
    curve : Curve
        The function, with its guess rate.
    confidence : float
        Confidence of the intervals.
    seed : int
        Seed of the simulations for the goodness of fit.

    Returns
    -------
    PsychometricFit or None
        None for fewer than two levels.
    """
    seen = counts.trials > 0
    counts = LevelCounts(counts.levels[seen], counts.correct[seen], counts.trials[seen])
    if len(counts.levels) < 2 or (curve.is_log and counts.levels.min() <= 0):
        return None
    axis = curve.to_axis(counts.levels)
    search = GridSearch(counts, curve, axis)
    grid = search.refine(search.create_first_grid())
    place, steepness = (search.find_estimate(grid, i, confidence) for i in (0, 1))
    lapse = grid.axes[2][grid.best[2]]
    limits = curve.from_axis(np.array([place.value, place.low, place.high]))
    expected = curve.predict(axis, np.array(place.value), np.array(steepness.value), lapse)
    deviance, p = measure_fit(counts, expected, seed)
    return PsychometricFit(curve, Estimate(*map(float, limits)), steepness, float(lapse), deviance, p)
