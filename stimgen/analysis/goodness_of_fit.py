"""Tests by simulation whether a psychometric function fits (Wichmann & Hill 2001)."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.psychometric_curve import LevelCounts, Values

SIMULATIONS = 1000


def measure_fit(counts: LevelCounts, expected: Values, seed: int) -> tuple[float, float]:
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
