"""Describes the posterior of a threshold, and says when it tells no threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.experiment.design.threshold import ThresholdPosterior

QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
DIGITS = 6


@dataclass(frozen=True)
class LevelAnswer:
    """Represents what a posterior learns from a trial."""

    level: int | None
    """Index of the level; None in a trial without a signal."""
    positive: bool
    """Whether the answer was correct; in a task with a criterion, whether it reported a signal."""


def describe_posterior(values: Sequence[float], probabilities: Sequence[float]) -> ThresholdPosterior:
    """Return the posterior over rising `values`, whose probabilities sum to 1.

    Examples
    --------
    >>> found = describe_posterior([1.0, 2.0, 3.0], [0.25, 0.5, 0.25])
    >>> found.mean, found.sd, found.entropy, found.quantiles["0.84"]
    (2.0, 0.707107, 1.5, 3.0)
    """
    mean = sum(p * value for value, p in zip(values, probabilities, strict=True))
    variance = sum(p * (value - mean) ** 2 for value, p in zip(values, probabilities, strict=True))
    return ThresholdPosterior(
        values=tuple(round(value, DIGITS) for value in values),
        probabilities=tuple(round(p, DIGITS) for p in probabilities),
        mean=round(mean, DIGITS),
        sd=round(math.sqrt(max(0.0, variance)), DIGITS),
        quantiles={f"{q:g}": round(_find_quantile(values, probabilities, q), DIGITS) for q in QUANTILES},
        entropy=round(-sum(p * math.log2(p) for p in probabilities if p > 0), DIGITS),
    )


def explain_no_threshold(posterior: ThresholdPosterior) -> str | None:
    """Return why a posterior tells no threshold; None if it tells one.

    It tells none if its middle 68 % reach an end of the possible thresholds: the true one may lie beyond.
    """
    lowest, highest = posterior.values[0], posterior.values[-1]
    low, high = posterior.quantiles["0.16"] <= lowest, posterior.quantiles["0.84"] >= highest
    if low and high:
        return "the answers say too little: all possible thresholds are still likely"
    if low or high:
        end, name = (lowest, "lowest") if low else (highest, "highest")
        return (
            f"the posterior is pinned at the {name} possible threshold, {end:g}: the true one may lie beyond"
        )
    return None


def _find_quantile(values: Sequence[float], probabilities: Sequence[float], wanted: float) -> float:
    total = 0.0
    for value, p in zip(values, probabilities, strict=True):
        total += p
        if total >= wanted - 1e-12:
            return value
    return values[-1]
