"""Computes the posterior of a threshold in d' together with the criterion, in tasks like yes-no."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stimgen.experiment.design.detection import DetectionRule
from stimgen.experiment.design.schedules.posterior import LevelAnswer, describe_posterior
from stimgen.experiment.design.threshold import ThresholdPosterior

Floats = NDArray[np.float64]


@dataclass
class DprimeEngine:
    """Finds the threshold of d' from hits and false alarms together (Lesmes et al. 2015).

    d' is ``(level / threshold)^slope``, so that it is 1 at the threshold; with higher levels harder it is the
    inverse. The criterion is one for all trials, relative to the mean observation without a signal. It is a
    parameter like threshold, slope and lapse rate. Answers in trials without a signal tell where it is, and
    so it does not move the threshold. Lapses report a signal with probability 1/2. All combinations of
    parameters have the same prior probability.

    The engine is only a cache: its answers depend on the history that it is given, and on nothing else.
    """

    rule: DetectionRule
    levels: Sequence[float]
    """All levels, above 0 and rising."""
    sign: int
    """1 if higher levels are easier, -1 if they are harder."""
    thresholds: Sequence[float]
    slopes: Sequence[float]
    lapses: Sequence[float]
    _seen: list[LevelAnswer] = field(default_factory=list, init=False)
    _posterior: Floats | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Compute how often a signal is reported, for every level and all parameters."""
        threshold, slope, criterion, lapse = np.meshgrid(
            self.thresholds, self.slopes, self.rule.criteria, self.lapses, indexing="ij", sparse=True
        )
        level = np.asarray(self.levels, dtype=float).reshape(-1, 1, 1, 1, 1)
        dprime = (level / threshold) ** (self.sign * slope)
        self._rates = lapse / 2 + (1 - lapse) * self.rule.predict(dprime, criterion)
        alarms = lapse / 2 + (1 - lapse) * self.rule.predict(np.zeros_like(criterion), criterion)
        self._alarms = np.broadcast_to(alarms, self._rates.shape[1:])

    def choose_level(self, history: Sequence[LevelAnswer]) -> int:
        """Return the index of the level whose answer leaves the least uncertainty (Watson 2017)."""
        before = self._update(history)[None]
        expected = [_sum_entropy(before * rates) for rates in (self._rates, 1 - self._rates)]
        return int(np.argmin(expected[0] + expected[1]))

    def estimate(self, history: Sequence[LevelAnswer]) -> tuple[ThresholdPosterior, dict[str, float]]:
        """Return the posterior of the threshold, and the posterior means of the other parameters."""
        joint = self._update(history)
        grids = (self.thresholds, self.slopes, self.rule.criteria, self.lapses)
        marginals = [joint.sum(axis=tuple(j for j in range(4) if j != i)) for i in range(4)]
        means = [float(np.dot(marginal, grid)) for marginal, grid in zip(marginals, grids, strict=True)]
        names = ("slope", "criterion", "lapse")
        estimates = {name: round(mean, 6) for name, mean in zip(names, means[1:], strict=True)}
        return describe_posterior(list(self.thresholds), marginals[0].tolist()), estimates

    def _update(self, history: Sequence[LevelAnswer]) -> Floats:
        """Return the posterior after a history, which is extended if it is longer than the one before."""
        answers, posterior = list(history), self._posterior
        if posterior is None or answers[: len(self._seen)] != self._seen:
            posterior, self._seen = np.full(self._alarms.shape, 1 / self._alarms.size), []
        for answer in answers[len(self._seen) :]:
            rates = self._alarms if answer.level is None else self._rates[answer.level]
            posterior = posterior * (rates if answer.positive else 1 - rates)
            posterior = posterior / posterior.sum()
        self._posterior, self._seen = posterior, answers
        return posterior


def _sum_entropy(joint: Floats) -> Floats:
    """Return, for each level, the probability of an answer times the entropy of the posterior after it."""
    axes = (1, 2, 3, 4)
    total = joint.sum(axis=axes)
    logs = np.log(np.maximum(joint, math.ulp(0.0)))
    return np.asarray(total * np.log(total) - (joint * logs).sum(axis=axes))
