"""Fits a mixed model of correct answers, with crossed participants and sources and the guess rate built in.

What it is: the probability of a correct answer is ``g + (1 - g) * logistic(x)``, where g is chance, and x is
the cell's mean plus normal deviations of the participant, of the source, and of both in each condition. Their
standard deviations maximise Laplace's approximation of the marginal likelihood, as other programs for mixed
models do; the cells' means maximise the penalised likelihood. Intervals are Wald's, normal and symmetrical.

What it is not: it has no correlations between deviations and no lapses; it takes trials as independent given
participant, source and condition; and in cells near chance x is hardly determined. A weak normal prior on x,
with mean 0 and a standard deviation of 3 logits, keeps it finite. So read such cells by their proportions.

statsmodels has mixed models for binomial answers, and links with a guess rate, but not both together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stimgen.analysis.resampling import cross_counts
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

Values = NDArray[np.float64]
PRIOR_SD = 3.0
MOST_EFFECTS = 800
"""With more random effects, which take half a minute, deviations in single conditions are left out."""
COMPONENTS = ("participant", "source", "participant x condition", "source x condition")


@dataclass(frozen=True)
class MixedFit:
    """Holds a fitted model."""

    cells: pd.DataFrame
    """The cells, in the order of `means`."""
    means: Values
    """Mean of each cell on the scale of the model, in logits above the guess rate."""
    covariance: Values
    deviations: dict[str, float]
    """Standard deviation of each kind of random effect, in logits."""
    guess: float
    log_likelihood: float
    """Laplace's approximation of the logarithm of the marginal likelihood."""

    def find_contrast(self, weights: Values) -> tuple[float, float]:
        """Return a weighted sum of the means, and its standard error."""
        return float(weights @ self.means), float(np.sqrt(weights @ self.covariance @ weights))


@dataclass(frozen=True)
class _Observations:
    """Holds counts of combinations of participant, source and cell, with their random effects."""

    correct: Values
    trials: Values
    cell: NDArray[np.int64]
    effects: tuple[NDArray[np.int64], ...]
    """For each component, the number of the effect of each row."""
    sizes: tuple[int, ...]
    cells: int
    guess: float


def fit_mixed_model(table: TrialTable) -> MixedFit | None:
    """Fit the model to the trials that count; None where there is nothing to compare.

    Parameters
    ----------
    table : TrialTable
        The trials; each combination of its factors is a cell. Without a known chance, the guess rate is 0.

    Returns
    -------
    MixedFit or None
        None with fewer than two cells, or without trials.
    """
    frame = table.counted
    if not len(frame) or not table.factors:
        return None
    counts = cross_counts(table, table.factors)
    seen = counts.trials.sum((0, 1)) > 0
    if seen.sum() < 2:
        return None
    cells = counts.cells[seen].reset_index(drop=True)
    correct, trials = counts.correct[:, :, seen], counts.trials[:, :, seen]
    names, observed = _build(correct, trials, cells, table.chance or 0.0)
    likelihood = _Likelihood(observed)
    deviations = _find_deviations(likelihood, len(names))
    mode = likelihood.maximise(deviations)
    count = observed.cells
    return MixedFit(
        cells,
        mode.values[:count],
        np.asarray(np.linalg.inv(mode.hessian)[:count, :count], dtype=np.float64),
        dict(zip(names, map(float, deviations), strict=True)),
        observed.guess,
        mode.marginal,
    )


def _find_deviations(likelihood: _Likelihood, count: int) -> Values:
    """Return the standard deviations of random effects that maximise the marginal likelihood."""
    from scipy.optimize import minimize

    if not count:
        return np.array([])
    bounds = [(float(np.log(0.01)), float(np.log(5.0)))] * count

    def lose(logs: Values) -> float:
        return -likelihood.maximise(np.exp(logs)).marginal

    # The steps of differences are wide, because modes are exact to 1e-6.
    options: Any = {"eps": 0.01, "ftol": 1e-6, "maxiter": 40}
    start: Values = np.full(count, float(np.log(0.5)), dtype=np.float64)
    found = minimize(lose, start, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(np.exp(found.x))


def _build(
    correct: Values, trials: Values, cells: pd.DataFrame, guess: float
) -> tuple[list[str], _Observations]:
    """Return the names of the components that the data can tell apart, and the observations."""
    people, sources, count = trials.shape
    p, s, c = np.nonzero(trials)
    first = cells.columns[0]
    values = {value: i for i, value in enumerate(dict.fromkeys(cells[first]))}
    level = cells[first].map(values).to_numpy(dtype=np.int64)[c]
    levels = len(values)
    codes = {
        "participant": (p, people),
        "source": (s, sources),
        "participant x condition": (p * levels + level, people * levels),
        "source x condition": (s * levels + level, sources * levels),
    }
    wanted = [name for name in COMPONENTS if (people if name.startswith("p") else sources) > 1]
    if levels < 2 or sum(codes[name][1] for name in wanted) > MOST_EFFECTS:
        wanted = [name for name in wanted if "x" not in name]
    observed = _Observations(
        correct[p, s, c],
        trials[p, s, c],
        c.astype(np.int64),
        tuple(codes[name][0].astype(np.int64) for name in wanted),
        tuple(codes[name][1] for name in wanted),
        count,
        guess,
    )
    return wanted, observed


@dataclass(frozen=True)
class _Mode:
    values: Values
    """Means of the cells, and then the random effects."""
    hessian: Values
    marginal: float


class _Likelihood:
    """Finds modes of the penalised likelihood for given deviations, each from the last one on."""

    def __init__(self, observed: _Observations) -> None:
        from scipy.sparse import csr_matrix

        self._observed = observed
        sizes = (observed.cells, *observed.sizes)
        ends = np.cumsum(sizes)
        codes = [observed.cell, *(c + end for c, end in zip(observed.effects, ends, strict=False))]
        rows = len(observed.trials)
        where = (np.tile(np.arange(rows), len(codes)), np.concatenate(codes))
        self._design = csr_matrix((np.ones(rows * len(codes)), where), shape=(rows, int(ends[-1])))
        self._across = self._design.T.tocsr()
        self._last = np.zeros(int(ends[-1]))

    def maximise(self, deviations: Values) -> _Mode:
        """Return the mode, found by Fisher scoring, with Laplace's approximation there."""
        observed = self._observed
        precision = np.concatenate(
            [np.full(observed.cells, PRIOR_SD**-2.0)]
            + [np.full(size, sd**-2.0) for size, sd in zip(observed.sizes, deviations, strict=True)]
        )
        values = self._last
        score, hessian, best = self._evaluate(values, precision)
        for _ in range(100):
            step = np.linalg.solve(hessian, score)
            trial = self._evaluate(values + step, precision)
            while trial[2] < best - 1e-10 and np.abs(step).max() > 1e-9:
                step = step / 2
                trial = self._evaluate(values + step, precision)
            values, gained = values + step, trial[2] - best
            score, hessian, best = trial
            if gained < 1e-6:
                break
        self._last = values
        _, log_determinant = np.linalg.slogdet(hessian)
        marginal = best + 0.5 * np.log(precision).sum() - 0.5 * log_determinant
        return _Mode(values, hessian, float(marginal))

    def _evaluate(self, values: Values, precision: Values) -> tuple[Values, Values, float]:
        """Return score, Fisher information and penalised log-likelihood."""
        from scipy.special import expit, xlogy

        observed, g = self._observed, self._observed.guess
        rise = expit(np.clip(np.asarray(self._design @ values), -30.0, 30.0))
        p = np.clip(g + (1 - g) * rise, 1e-12, 1 - 1e-12)
        slope = (1 - g) * rise * (1 - rise)
        wrong = observed.trials - observed.correct
        log_likelihood = float((xlogy(observed.correct, p) + xlogy(wrong, 1 - p)).sum())
        spread = p * (1 - p)
        by_row = (observed.correct - observed.trials * p) * slope / spread
        weights = observed.trials * slope**2 / spread
        score = self._across @ by_row - precision * values
        information: Any = self._across.multiply(weights) @ self._design
        hessian = information.toarray() + np.diag(precision)
        return score, hessian, log_likelihood - 0.5 * float(precision @ values**2)
