"""Fits psychometric functions by maximum likelihood, with guess and lapse rates and profile intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimgen.analysis.quantiles import find_normal_quantile
from stimgen.sensitivity import DecisionModel

Values = NDArray[np.float64]
FUNCTIONS = ("logistic", "normal", "weibull", "critical_scaling")
LARGEST_LAPSE = 0.06
"""Lapse rates up to this are equally plausible, and others are not (Wichmann & Hill 2001)."""
SIMULATIONS = 1000


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


@dataclass(frozen=True)
class Estimate:
    """Holds a parameter with its profile interval; a limit is infinite where the data set none."""

    value: float
    low: float
    high: float


NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


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
    search = _GridSearch(counts, curve, axis)
    grid = search.refine(search.first_grid())
    place, steepness = (search.find_estimate(grid, i, confidence) for i in (0, 1))
    lapse = grid.axes[2][grid.best[2]]
    limits = curve.from_axis(np.array([place.value, place.low, place.high]))
    expected = curve.predict(axis, np.array(place.value), np.array(steepness.value), lapse)
    deviance, p = _test_fit(counts, expected, seed)
    return PsychometricFit(curve, Estimate(*map(float, limits)), steepness, float(lapse), deviance, p)


@dataclass(frozen=True)
class _Grid:
    """Holds log-likelihoods over places, steepnesses and lapse rates."""

    axes: tuple[Values, Values, Values]
    values: Values

    @property
    def best(self) -> tuple[int, int, int]:
        one, two, three = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return int(one), int(two), int(three)


class _GridSearch:
    """Computes likelihoods over grids; steepness is searched along its logarithm."""

    def __init__(self, counts: LevelCounts, curve: Curve, axis: Values) -> None:
        self._counts, self._curve, self._axis = counts, curve, axis
        self._range = float(np.ptp(axis))
        means = counts.correct / counts.trials
        weights = counts.trials / counts.trials.sum()
        centred = axis - float(weights @ axis)
        falls = float((weights * centred) @ means) < 0 and curve.function != "critical_scaling"
        self._sign = -1.0 if falls else 1.0

    def first_grid(self) -> _Grid:
        low, high = self._axis.min(), self._axis.max()
        places = np.linspace(low - 0.75 * self._range, high + 0.75 * self._range, 61)
        if self._curve.function == "critical_scaling":
            return self._compute(places, np.geomspace(0.1, 20.0, 31))
        return self._compute(places, np.geomspace(0.5, 200.0, 41) / self._range)

    def refine(self, grid: _Grid) -> _Grid:
        """Return a finer grid of the region in which the likelihood is not negligible."""
        for lapses in (7, 13):
            axes = []
            for i in (0, 1):
                profile = self._profile(grid, i)
                near = np.flatnonzero(profile > profile.max() - 4.5)
                first, last = max(near[0] - 1, 0), min(near[-1] + 1, len(profile) - 1)
                low, high = grid.axes[i][first], grid.axes[i][last]
                axes.append(np.linspace(low, high, 61) if i == 0 else np.geomspace(low, high, 41))
            grid = self._compute(axes[0], axes[1], lapses)
        return grid

    def _compute(self, places: Values, steepnesses: Values, lapses: int = 4) -> _Grid:
        is_critical = self._curve.function == "critical_scaling"
        rates = np.array([0.0]) if is_critical else np.linspace(0.0, LARGEST_LAPSE, lapses)
        total = np.zeros((len(places), len(steepnesses), len(rates)))
        for x, k, n in zip(self._axis, self._counts.correct, self._counts.trials, strict=True):
            p = self._curve.predict(
                np.array(x),
                places[:, None, None],
                self._sign * steepnesses[None, :, None],
                rates[None, None, :],
            )
            p = np.clip(p, 1e-9, 1 - 1e-9)
            total += k * np.log(p) + (n - k) * np.log1p(-p)
        return _Grid((places, steepnesses, rates), total)

    def _profile(self, grid: _Grid, dimension: int) -> Values:
        others = tuple(i for i in range(3) if i != dimension)
        return np.asarray(grid.values.max(axis=others))

    def find_estimate(self, grid: _Grid, dimension: int, confidence: float) -> Estimate:
        """Return a parameter's most likely value, and where its profile falls by half of chi-squared."""
        profile, axis = self._profile(grid, dimension), grid.axes[dimension]
        best = int(profile.argmax())
        limit = profile[best] - find_normal_quantile(confidence) ** 2 / 2
        low, high = (_find_crossing(axis, profile, best, limit, side) for side in (-1, 1))
        value = _find_peak(axis, profile, best)
        if dimension == 1:
            low = 0.0 if low == -np.inf else low
            return _order(self._sign * value, self._sign * low, self._sign * high)
        return Estimate(value, low, high)


def _order(value: float, one: float, other: float) -> Estimate:
    return Estimate(value, min(one, other) + 0.0, max(one, other) + 0.0)  # no -0


def _find_crossing(axis: Values, profile: Values, best: int, limit: float, side: int) -> float:
    """Return where a profile falls below a limit on one side of its maximum."""
    place = best
    while 0 <= place + side < len(axis):
        if profile[place + side] < limit:
            share = (profile[place] - limit) / (profile[place] - profile[place + side])
            return float(axis[place] + share * (axis[place + side] - axis[place]))
        place += side
    return side * float("inf")


def _find_peak(axis: Values, profile: Values, best: int) -> float:
    """Return the maximum of a parabola through the three values around the best one."""
    if not 0 < best < len(axis) - 1:
        return float(axis[best])
    before, here, after = profile[best - 1 : best + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    step = axis[best + 1] - axis[best] if shift > 0 else axis[best] - axis[best - 1]
    return float(axis[best] + shift * step)


def _test_fit(counts: LevelCounts, expected: Values, seed: int) -> tuple[float, float]:
    """Return the deviance, and the share of data simulated from the fit that fit worse.

    A fit to each simulation would lower its deviance, on average by one for each of two parameters. The
    simulated deviances, whose mean is about the number of levels, are scaled by as much.
    """
    rng = np.random.default_rng(seed)
    trials = counts.trials.astype(int)
    found = _find_deviance(counts.correct, counts.trials, expected)
    simulated = rng.binomial(trials, np.clip(expected, 0.0, 1.0), size=(SIMULATIONS, len(trials)))
    others = _find_deviance(simulated.astype(float), counts.trials, expected)
    scale = max(len(trials) - 2, 0) / len(trials)
    return float(found), float((others * scale >= found - 1e-9).mean()) if scale else float("nan")


def _find_deviance(correct: Values, trials: Values, expected: Values) -> Values:
    from scipy.special import xlogy

    p = np.clip(expected, 1e-9, 1 - 1e-9)
    share = correct / trials
    right = xlogy(correct, share) - correct * np.log(p)
    wrong = xlogy(trials - correct, 1 - share) - (trials - correct) * np.log1p(-p)
    return np.asarray(2 * (right + wrong).sum(-1))
