"""QUEST+."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional
from stimgen.reading.model import Number, validation_error

Grid = Annotated[tuple[Number, ...], Field(min_length=1, max_length=200)]
Probabilities = Annotated[
    tuple[Annotated[Number, Field(ge=0.0, lt=1.0)], ...], Field(min_length=1, max_length=50)
]


class Questplus(AdaptiveSchedule):
    """QUEST+: the level from which most is learnt of a psychometric function (Watson 2017)."""

    name: Literal["questplus"] = "questplus"
    form: Literal["weibull", "normal"] = "weibull"
    """The psychometric function: of the level's logarithm, or of the level."""
    threshold: Grid | None = None
    """Thresholds that are possible, in units of the level; where none is given, 40 between the lowest and the
    highest level."""
    slope: Grid = (1.0, 2.0, 3.5, 5.0, 8.0)
    """Slopes that are possible: the Weibull exponent, or the standard deviation of the normal distribution in
    units of the level."""
    guess: Probabilities | None = None
    """Proportions correct that are possible of one who sees nothing; without it, chance."""
    lapse: Probabilities = (0.0, 0.02, 0.05)
    """Proportions of lapses that are possible."""

    @model_validator(mode="after")
    def _check_numbers(self) -> Questplus:
        for name in ("threshold", "slope"):
            values = getattr(self, name) or ()
            if (name == "slope" or self.form == "weibull") and any(value <= 0 for value in values):
                raise validation_error(f"a {name} is positive", at=name)
        return self

    def check(self, design: Design) -> None:
        """Refuse levels without a logarithm, and what no adaptive schedule can do."""
        super().check(design)
        if self.form == "weibull" and min(require_level(design).numbers) <= 0:
            raise StimgenError(
                "a Weibull function needs levels above zero", hint="say form: normal, or give other values"
            )
        import_optional("questplus", "questplus", "the schedule questplus")

    def index(self, design: Design, track: Track, own: Sequence[TrialResult]) -> int:
        """Return the level whose answer promises the least entropy of what is not known yet."""
        return _find_engine(self, design, track.name).index(own)

    def ended(self, design: Design, track: Track, own: Sequence[TrialResult]) -> bool:
        """Return False: a track has all its trials."""
        del design, track, own
        return False

    def summary(self, design: Design, history: Sequence[TrialResult]) -> dict[str, Any]:
        """Return for every track mean and standard deviation of the threshold, and other means."""
        found = {}
        for track in self.all_tracks(design):
            own = [past for past in history if past.track == track.name]
            found[track.name] = _find_engine(self, design, track.name).estimate(own)
        return found

    def at(self, number: float) -> float:
        """Return a level as the psychometric function has it, rising with how easy it is."""
        value = math.log10(number) if self.form == "weibull" else number
        return value if self.harder == "lower" else -value

    def number(self, at: float) -> float:
        """Return the level that the psychometric function has as `at`."""
        value = at if self.harder == "lower" else -at
        return 10**value if self.form == "weibull" else value


@lru_cache(maxsize=256)
def _find_engine(schedule: Questplus, design: Design, track: str) -> _QuestPlusEngine:
    del track  # a key of the cache: every track has an engine of its own
    return _QuestPlusEngine(schedule, design)


class _QuestPlusEngine:
    """The package's procedure, taken on from one history to a longer one, or begun anew.

    It is a cache and nothing else: what it answers depends on the history that it is handed.
    """

    def __init__(self, schedule: Questplus, design: Design) -> None:
        self._schedule = schedule
        self._level = require_level(design)
        self._chance = design.chance
        self._numbers = dict(zip(self._level.values, self._level.numbers, strict=True))
        self._seen: list[tuple[float, bool]] = []
        self._made: Any = None

    def index(self, own: Sequence[TrialResult]) -> int:
        with _silence_warnings():
            at = float(self._after(own).next_stim["intensity"])
        places = [self._schedule.at(number) for number in self._level.numbers]
        return min(range(len(places)), key=lambda i: abs(places[i] - at))

    def estimate(self, own: Sequence[TrialResult]) -> dict[str, float]:
        with _silence_warnings():
            made = self._after(own)
            means = made.param_estimate
            posterior = made.marginal_posterior[self._names[0]]
        values = [self._schedule.number(float(at)) for at in made.param_domain[self._names[0]]]
        mean = sum(p * v for p, v in zip(posterior, values, strict=True))
        variance = sum(p * (v - mean) ** 2 for p, v in zip(posterior, values, strict=True))
        return {
            "threshold": round(float(mean), 6),
            "threshold_sd": round(math.sqrt(max(0.0, float(variance))), 6),
            "slope": round(float(means[self._names[1]]), 6),
            "lapse": round(float(means["lapse_rate"]), 6),
            "trials": len(own),
        }

    @property
    def _names(self) -> tuple[str, str]:
        return ("threshold", "slope") if self._schedule.form == "weibull" else ("mean", "sd")

    def _after(self, own: Sequence[TrialResult]) -> Any:
        """Return the procedure after a history; trials without an answer tell nothing."""
        wanted = [
            (self._schedule.at(self._numbers[past.levels[self._level.factor]]), past.correct)
            for past in own
            if past.correct is not None
        ]
        if self._made is None or wanted[: len(self._seen)] != self._seen:
            self._made, self._seen = self._begun(), []
        for at, correct in wanted[len(self._seen) :]:
            self._made.update(stim={"intensity": at}, outcome={"response": "yes" if correct else "no"})
        self._seen = wanted
        return self._made

    def _begun(self) -> Any:
        schedule = self._schedule
        questplus = import_optional("questplus", "questplus", "the schedule questplus")
        places = sorted(schedule.at(number) for number in self._level.numbers)
        thresholds = sorted(schedule.at(number) for number in schedule.threshold or ())
        if not thresholds:
            thresholds = [places[0] + (places[-1] - places[0]) * i / 39 for i in range(40)]
        guesses = schedule.guess if schedule.guess is not None else (self._chance or 0.0,)
        return questplus.QuestPlus(
            stim_domain={"intensity": places},
            param_domain={
                self._names[0]: thresholds,
                self._names[1]: list(schedule.slope),
                "lower_asymptote": list(guesses),
                "lapse_rate": list(schedule.lapse),
            },
            outcome_domain={"response": ["yes", "no"]},
            func="weibull" if schedule.form == "weibull" else "norm_cdf",
            stim_scale="log10" if schedule.form == "weibull" else "linear",
            stim_selection_method="min_entropy",
            param_estimation_method="mean",
        )


@contextmanager
def _silence_warnings() -> Iterator[None]:
    """Silence the package's warnings: of logarithms of zero, which it means, and of what xarray plans."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
