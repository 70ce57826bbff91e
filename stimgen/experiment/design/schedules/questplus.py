"""Defines the adaptive schedule QUEST+."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Design, TrialResult
from stimgen.experiment.design.schedules.dprime_engine import DprimeEngine
from stimgen.experiment.design.schedules.posterior import LevelAnswer, explain_no_threshold
from stimgen.experiment.design.schedules.questplus_engine import QuestPlusEngine, import_questplus
from stimgen.experiment.design.schedules.tracks import AdaptiveSchedule, Track, require_level, select_track
from stimgen.experiment.design.threshold import UNITS, TrackChange, TrackThreshold
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number, validation_error

Grid = Annotated[tuple[Number, ...], Field(min_length=1, max_length=200)]
Probabilities = Annotated[
    tuple[Annotated[Number, Field(ge=0.0, lt=1.0)], ...], Field(min_length=1, max_length=50)
]


class Questplus(AdaptiveSchedule):
    """Chooses the level that is most informative about a psychometric function: QUEST+ (Watson 2017).

    In yes-no and same-different the function is that of d', with the criterion as a further parameter (Lesmes
    et al. 2015).
    """

    name: Literal["questplus"] = "questplus"
    form: Literal["weibull", "normal", "dprime"] | None = None
    """The psychometric function: ``weibull`` over the level's logarithm, or ``normal`` over the level; for
    yes-no and same-different ``dprime``, where d' is (level / threshold)^slope. The default is ``dprime`` for
    those, and else ``weibull``."""
    threshold: Grid | None = None
    """Possible thresholds, in units of the level; by default 40 between the lowest and the highest level."""
    slope: Grid = (1.0, 2.0, 3.5, 5.0, 8.0)
    """Possible slopes: the exponent of the Weibull function or of d', or the standard deviation of the normal
    distribution in units of the level."""
    guess: Probabilities | None = None
    """Possible proportions correct of an observer who guesses; the default is chance."""
    lapse: Probabilities = (0.0, 0.02, 0.05)
    """Possible lapse rates."""

    @model_validator(mode="after")
    def _check_numbers(self) -> Questplus:
        for name in ("threshold", "slope"):
            values = getattr(self, name) or ()
            if (name == "slope" or self.form != "normal") and any(value <= 0 for value in values):
                raise validation_error(f"every {name} must be greater than 0", at=name)
        return self

    @override
    def check(self, design: Design) -> None:
        super().check(design)
        form = self.find_form(design)
        if (form == "dprime") != (design.detection is not None):
            problem, hint = _describe_misfit(form, design)
            raise StimgenError(problem, hint=hint)
        if form == "dprime" and self.guess is not None:
            raise StimgenError(
                "schedule.guess has no effect: the answers without a signal tell the guess rate"
            )
        if form != "normal" and min(require_level(design).numbers) <= 0:
            other = "" if form == "dprime" else "form: normal, or "
            raise StimgenError(f"form: {form} needs levels above zero", hint=f"use {other}other values")
        if form != "dprime":
            import_questplus()

    @override
    def choose_level(self, design: Design, track: Track, history: Sequence[TrialResult]) -> int:
        return _get_engine(self, design, track.name).choose_level(_list_answers(design, history))

    @override
    def describe_track(self, design: Design, history: Sequence[TrialResult]) -> TrackChange:
        own = [result for result in history if result.track == history[-1].track]
        found, _ = _get_engine(self, design, str(history[-1].track)).estimate(_list_answers(design, own))
        return TrackChange(mean=found.mean, sd=found.sd, entropy=found.entropy)

    @override
    def find_thresholds(self, design: Design, history: Sequence[TrialResult]) -> tuple[TrackThreshold, ...]:
        return tuple(
            self._find_threshold(design, track.name, select_track(history, track))
            for track in self.all_tracks(design)
        )

    def find_form(self, design: Design) -> str:
        """Return the psychometric function: the one that was chosen, or the one that suits the task."""
        return self.form or ("weibull" if design.detection is None else "dprime")

    def _find_threshold(self, design: Design, track: str, own: Sequence[TrialResult]) -> TrackThreshold:
        posterior, estimates = _get_engine(self, design, track).estimate(_list_answers(design, own))
        reason, level = explain_no_threshold(posterior), require_level(design)
        return TrackThreshold(
            track=track,
            level=level.by,
            unit=UNITS.get(level.by),
            threshold=posterior.mean if reason is None else None,
            reason=reason,
            method="posterior mean",
            target=TARGETS[self.find_form(design)],
            trials=len(own),
            counted=sum(result.correct is not None and result.signal for result in own),
            without_signal=sum(not result.signal for result in own),
            sd=posterior.sd,
            posterior=posterior,
            estimates=estimates,
        )

    def list_thresholds(self, design: Design) -> list[float]:
        """Return the possible thresholds, in rising order."""
        if self.threshold:
            return sorted(self.threshold)
        low, high = require_level(design).numbers[0], require_level(design).numbers[-1]
        if self.find_form(design) == "normal":
            return [low + (high - low) * i / (DEFAULT_COUNT - 1) for i in range(DEFAULT_COUNT)]
        return [low * (high / low) ** (i / (DEFAULT_COUNT - 1)) for i in range(DEFAULT_COUNT)]


DEFAULT_COUNT = 40
TARGETS = {
    "weibull": "1 - 1/e of the way from guessing to the highest proportion correct",
    "normal": "halfway from guessing to the highest proportion correct",
    "dprime": "d' = 1",
}


def _describe_misfit(form: str, design: Design) -> tuple[str, str]:
    """Return why a function does not suit the task, and what does."""
    if design.detection is None:
        return "form: dprime is for tasks with a criterion, such as yes_no", "write form: weibull"
    task = design.detection.task
    return (
        f"form: {form} describes the proportion correct, which in {task} depends on the observer's criterion",
        "write form: dprime, which estimates the criterion from trials without a signal",
    )


def _list_answers(design: Design, history: Sequence[TrialResult]) -> list[LevelAnswer]:
    """Return what the engines learn from; trials without an answer are ignored.

    In a task with a criterion, this is whether a signal was reported, also without one. In others, it is
    whether the answer was correct, in trials with a signal.
    """
    level, found = require_level(design), []
    indices = {value: i for i, value in enumerate(level.values)}
    for result in history:
        if result.correct is None:
            continue
        if result.signal:
            found.append(LevelAnswer(indices[result.levels[level.factor]], result.correct))
        elif design.detection is not None:
            found.append(LevelAnswer(None, not result.correct))
    return found


@lru_cache(maxsize=256)
def _get_engine(schedule: Questplus, design: Design, track: str) -> QuestPlusEngine | DprimeEngine:
    del track  # only a key of the cache: every track has its own engine
    form, level, harder = schedule.find_form(design), require_level(design), schedule.find_harder(design)
    sign: Literal[1, -1] = 1 if harder == "lower" else -1
    thresholds = schedule.list_thresholds(design)
    if design.detection is not None:
        rule, slopes, lapses = design.detection, schedule.slope, schedule.lapse
        return DprimeEngine(rule, level.numbers, sign, thresholds, slopes, lapses)
    guesses = schedule.guess if schedule.guess is not None else (design.chance or 0.0,)
    return QuestPlusEngine(
        form, level.numbers, sign, thresholds, slopes=schedule.slope, guesses=guesses, lapses=schedule.lapse
    )
