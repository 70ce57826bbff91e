"""Searches the parameters of a psychometric function over grids of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stimgen.analysis.psychometric_curve import Curve, LevelCounts, Values
from stimgen.analysis.quantiles import find_normal_quantile

LARGEST_LAPSE = 0.06
"""Lapse rates up to this are equally plausible, and others are not (Wichmann & Hill 2001)."""


@dataclass(frozen=True)
class Estimate:
    """Holds a parameter with its profile interval; a limit is infinite where the data set none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LikelihoodGrid:
    """Holds log-likelihoods over places, steepnesses and lapse rates."""

    axes: tuple[Values, Values, Values]
    values: Values

    @property
    def best(self) -> tuple[int, int, int]:
        """Return the indices of the largest log-likelihood along the three axes."""
        one, two, three = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return int(one), int(two), int(three)


class GridSearch:
    """Computes likelihoods over grids; steepness is searched along its logarithm."""

    def __init__(self, counts: LevelCounts, curve: Curve, axis: Values) -> None:
        self._counts, self._curve, self._axis = counts, curve, axis
        self._range = float(np.ptp(axis))
        means = counts.correct / counts.trials
        weights = counts.trials / counts.trials.sum()
        centred = axis - float(weights @ axis)
        falls = float((weights * centred) @ means) < 0 and curve.function != "critical_scaling"
        self._sign = -1.0 if falls else 1.0

    def create_first_grid(self) -> LikelihoodGrid:
        """Return a coarse grid that reaches beyond all levels."""
        low, high = self._axis.min(), self._axis.max()
        places = np.linspace(low - 0.75 * self._range, high + 0.75 * self._range, 61)
        if self._curve.function == "critical_scaling":
            return self._compute(places, np.geomspace(0.1, 20.0, 31))
        return self._compute(places, np.geomspace(0.5, 200.0, 41) / self._range)

    def refine(self, grid: LikelihoodGrid) -> LikelihoodGrid:
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

    def _compute(self, places: Values, steepnesses: Values, lapses: int = 4) -> LikelihoodGrid:
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
        return LikelihoodGrid((places, steepnesses, rates), total)

    def _profile(self, grid: LikelihoodGrid, dimension: int) -> Values:
        others = tuple(i for i in range(3) if i != dimension)
        return np.asarray(grid.values.max(axis=others))

    def find_estimate(self, grid: LikelihoodGrid, dimension: int, confidence: float) -> Estimate:
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
