"""Defines the adaptive schedule QUEST+."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.posterior import describe_posterior, explain_no_threshold
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level, select_track
from stimgen.experiment.design.threshold import UNITS, ThresholdPosterior, TrackThreshold
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional
from stimgen.reading.model import Number, validation_error

Grid = Annotated[tuple[Number, ...], Field(min_length=1, max_length=200)]
Probabilities = Annotated[
    tuple[Annotated[Number, Field(ge=0.0, lt=1.0)], ...], Field(min_length=1, max_length=50)
]


class Questplus(AdaptiveSchedule):
    """Chooses the level that is most informative about a psychometric function: QUEST+ (Watson 2017)."""

    name: Literal["questplus"] = "questplus"
    form: Literal["weibull", "normal"] = "weibull"
    """The psychometric function: ``weibull`` over the level's logarithm, or ``normal`` over the level."""
    threshold: Grid | None = None
    """Possible thresholds, in units of the level; by default 40 between the lowest and the highest level."""
    slope: Grid = (1.0, 2.0, 3.5, 5.0, 8.0)
    """Possible slopes: the Weibull exponent, or the standard deviation of the normal distribution in units of
    the level."""
    guess: Probabilities | None = None
    """Possible proportions correct of an observer who guesses; the default is chance."""
    lapse: Probabilities = (0.0, 0.02, 0.05)
    """Possible lapse rates."""

    @model_validator(mode="after")
    def _check_numbers(self) -> Questplus:
        for name in ("threshold", "slope"):
            values = getattr(self, name) or ()
            if (name == "slope" or self.form == "weibull") and any(value <= 0 for value in values):
                raise validation_error(f"every {name} must be greater than 0", at=name)
        return self

    @override
    def check(self, design: Design) -> None:
        super().check(design)
        if self.form == "weibull" and min(require_level(design).numbers) <= 0:
            raise StimgenError(
                "a Weibull function needs levels above zero", hint="use form: normal, or other values"
            )
        _import_questplus()

    @override
    def choose_level(self, design: Design, track: Track, history: Sequence[TrialResult]) -> int:
        return _get_engine(self, design, track.name).choose_level(history)

    @override
    def describe_track(self, design: Design, history: Sequence[TrialResult]) -> dict[str, Any]:
        own = [result for result in history if result.track == history[-1].track]
        found, _ = _get_engine(self, design, str(history[-1].track)).estimate(own)
        return {"mean": found.mean, "sd": found.sd, "entropy": found.entropy}

    @override
    def find_thresholds(self, design: Design, history: Sequence[TrialResult]) -> tuple[TrackThreshold, ...]:
        return tuple(
            self._find_threshold(design, track.name, select_track(history, track))
            for track in self.all_tracks(design)
        )

    def _find_threshold(self, design: Design, track: str, own: Sequence[TrialResult]) -> TrackThreshold:
        posterior, estimates = _get_engine(self, design, track).estimate(own)
        reason, level = explain_no_threshold(posterior), require_level(design)
        return TrackThreshold(
            track=track,
            level=level.by,
            unit=UNITS.get(level.by),
            threshold=posterior.mean if reason is None else None,
            reason=reason,
            method="posterior mean",
            target=TARGETS[self.form],
            trials=len(own),
            counted=sum(result.correct is not None for result in own),
            sd=posterior.sd,
            posterior=posterior,
            estimates=estimates,
        )


TARGETS = {
    "weibull": "1 - 1/e of the way from guessing to the highest proportion correct",
    "normal": "halfway from guessing to the highest proportion correct",
}

# The package warns of logarithms of zero, which it intends, and of changes that xarray plans.
_quiet = partial(warnings.catch_warnings, action="ignore")


def _import_questplus() -> Any:
    return import_optional("questplus", "questplus", "the schedule questplus")


@lru_cache(maxsize=256)
def _get_engine(schedule: Questplus, design: Design, track: str) -> _QuestPlusEngine:
    del track  # only a key of the cache: every track has its own engine
    return _QuestPlusEngine(schedule, design)


class _QuestPlusEngine:
    """Runs the package's procedure, and extends it if a history is longer than the one before.

    The engine is only a cache: its answers depend on the history that it is given, and on nothing else.
    """

    def __init__(self, schedule: Questplus, design: Design) -> None:
        self._schedule, self._harder = schedule, schedule.find_harder(design)
        self._level = require_level(design)
        self._chance = design.chance
        self._numbers = dict(zip(self._level.values, self._level.numbers, strict=True))
        self._seen: list[tuple[float, bool]] = []
        self._procedure: Any = None

    def choose_level(self, history: Sequence[TrialResult]) -> int:
        with _quiet():
            wanted = float(self._update(history).next_stim["intensity"])
        intensities = [self._to_intensity(number) for number in self._level.numbers]
        return min(range(len(intensities)), key=lambda i: abs(intensities[i] - wanted))

    def estimate(self, history: Sequence[TrialResult]) -> tuple[ThresholdPosterior, dict[str, float]]:
        """Return the posterior of the threshold, and the posterior means of the other parameters."""
        threshold, slope = self._parameter_names
        with _quiet():
            procedure = self._update(history)
            means = procedure.param_estimate
            probabilities = procedure.marginal_posterior[threshold]
        values = [self._from_intensity(float(x)) for x in procedure.param_domain[threshold]]
        pairs = sorted((value, float(p)) for value, p in zip(values, probabilities, strict=True))
        estimates = {"slope": float(means[slope]), "lapse": float(means["lapse_rate"])}
        if len(procedure.param_domain["lower_asymptote"]) > 1:
            estimates["guess"] = float(means["lower_asymptote"])
        posterior = describe_posterior([value for value, _ in pairs], [p for _, p in pairs])
        return posterior, {name: round(value, 6) for name, value in estimates.items()}

    def _to_intensity(self, number: float) -> float:
        """Return a level on the axis of the psychometric function, which rises as the task gets easier."""
        value = math.log10(number) if self._schedule.form == "weibull" else number
        return value if self._harder == "lower" else -value

    def _from_intensity(self, intensity: float) -> float:
        """Return the level for a value on the axis of the psychometric function."""
        value = intensity if self._harder == "lower" else -intensity
        return 10**value if self._schedule.form == "weibull" else value

    @property
    def _parameter_names(self) -> tuple[str, str]:
        return ("threshold", "slope") if self._schedule.form == "weibull" else ("mean", "sd")

    def _update(self, history: Sequence[TrialResult]) -> Any:
        """Return the procedure after a history; trials without an answer are ignored."""
        results = [
            (self._to_intensity(self._numbers[result.levels[self._level.factor]]), result.correct)
            for result in history
            if result.correct is not None
        ]
        if self._procedure is None or results[: len(self._seen)] != self._seen:
            self._procedure, self._seen = self._create(), []
        for intensity, correct in results[len(self._seen) :]:
            response = "yes" if correct else "no"
            self._procedure.update(stim={"intensity": intensity}, outcome={"response": response})
        self._seen = results
        return self._procedure

    def _create(self) -> Any:
        schedule, (threshold, slope) = self._schedule, self._parameter_names
        intensities = sorted(self._to_intensity(number) for number in self._level.numbers)
        thresholds = sorted(self._to_intensity(number) for number in schedule.threshold or ())
        if not thresholds:
            thresholds = [intensities[0] + (intensities[-1] - intensities[0]) * i / 39 for i in range(40)]
        guesses = schedule.guess if schedule.guess is not None else (self._chance or 0.0,)
        return _import_questplus().QuestPlus(
            stim_domain={"intensity": intensities},
            param_domain={
                threshold: thresholds,
                slope: list(schedule.slope),
                "lower_asymptote": list(guesses),
                "lapse_rate": list(schedule.lapse),
            },
            outcome_domain={"response": ["yes", "no"]},
            func="weibull" if schedule.form == "weibull" else "norm_cdf",
            stim_scale="log10" if schedule.form == "weibull" else "linear",
            stim_selection_method="min_entropy",
            param_estimation_method="mean",
        )
