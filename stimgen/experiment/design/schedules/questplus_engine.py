"""Runs the procedure of the package questplus, for tasks without a criterion."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stimgen.experiment.design.schedules.posterior import LevelAnswer, describe_posterior
from stimgen.experiment.design.threshold import ThresholdPosterior
from stimgen.reading.extras import import_optional

# The package warns of logarithms of zero, which it intends, and of changes that xarray plans.
_quiet = partial(warnings.catch_warnings, action="ignore")


def import_questplus() -> Any:
    """Return the package, and raise a `StimgenError` if it is not installed."""
    return import_optional("questplus", "questplus", "the schedule questplus")


@dataclass
class QuestPlusEngine:
    """Runs the package's procedure, and extends it if a history is longer than the one before.

    The engine is only a cache: its answers depend on the history that it is given, and on nothing else.
    """

    form: str
    """``weibull`` or ``normal``."""
    levels: Sequence[float]
    sign: int
    """1 if higher levels are easier, -1 if they are harder."""
    thresholds: Sequence[float]
    slopes: Sequence[float]
    guesses: Sequence[float]
    lapses: Sequence[float]
    _seen: list[LevelAnswer] = field(default_factory=list, init=False)
    _procedure: Any = field(default=None, init=False)

    def choose_level(self, history: Sequence[LevelAnswer]) -> int:
        """Return the index of the most informative level."""
        with _quiet():
            wanted = float(self._update(history).next_stim["intensity"])
        intensities = [self._to_intensity(number) for number in self.levels]
        return min(range(len(intensities)), key=lambda i: abs(intensities[i] - wanted))

    def estimate(self, history: Sequence[LevelAnswer]) -> tuple[ThresholdPosterior, dict[str, float]]:
        """Return the posterior of the threshold, and the posterior means of the other parameters."""
        threshold, slope = self._parameter_names
        with _quiet():
            procedure = self._update(history)
            means = procedure.param_estimate
            probabilities = procedure.marginal_posterior[threshold]
        values = [self._from_intensity(float(x)) for x in procedure.param_domain[threshold]]
        pairs = sorted((value, float(p)) for value, p in zip(values, probabilities, strict=True))
        estimates = {"slope": float(means[slope]), "lapse": float(means["lapse_rate"])}
        if len(self.guesses) > 1:
            estimates["guess"] = float(means["lower_asymptote"])
        posterior = describe_posterior([value for value, _ in pairs], [p for _, p in pairs])
        return posterior, {name: round(value, 6) for name, value in estimates.items()}

    def _to_intensity(self, number: float) -> float:
        """Return a level on the axis of the psychometric function, which rises as the task gets easier."""
        return self.sign * (math.log10(number) if self.form == "weibull" else number)

    def _from_intensity(self, intensity: float) -> float:
        """Return the level for a value on the axis of the psychometric function."""
        return 10 ** (self.sign * intensity) if self.form == "weibull" else self.sign * intensity

    @property
    def _parameter_names(self) -> tuple[str, str]:
        return ("threshold", "slope") if self.form == "weibull" else ("mean", "sd")

    def _update(self, history: Sequence[LevelAnswer]) -> Any:
        """Return the procedure after a history."""
        answers = list(history)
        if self._procedure is None or answers[: len(self._seen)] != self._seen:
            self._procedure, self._seen = self._create(), []
        for answer in answers[len(self._seen) :]:
            if answer.level is not None:
                intensity, response = self._to_intensity(self.levels[answer.level]), answer.positive
                self._procedure.update(
                    stim={"intensity": intensity}, outcome={"response": "yes" if response else "no"}
                )
        self._seen = answers
        return self._procedure

    def _create(self) -> Any:
        threshold, slope = self._parameter_names
        return import_questplus().QuestPlus(
            stim_domain={"intensity": sorted(map(self._to_intensity, self.levels))},
            param_domain={
                threshold: sorted(map(self._to_intensity, self.thresholds)),
                slope: list(self.slopes),
                "lower_asymptote": list(self.guesses),
                "lapse_rate": list(self.lapses),
            },
            outcome_domain={"response": ["yes", "no"]},
            func="weibull" if self.form == "weibull" else "norm_cdf",
            stim_scale="log10" if self.form == "weibull" else "linear",
            stim_selection_method="min_entropy",
            param_estimation_method="mean",
        )
