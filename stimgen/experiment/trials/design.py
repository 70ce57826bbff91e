"""Builds the design of an experiment, which tells a schedule what to combine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stimgen.experiment.design.catch_series import CatchSeries, replace_stimuli
from stimgen.experiment.design.decisions import Design, Factor, Participant, Scalar
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.catch_trials import CatchSettings
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import PracticeSettings
from stimgen.experiment.trials.levels import build_level_scale, find_harder_direction
from stimgen.experiment.trials.signals import NO_VALUES, list_without_signal
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.factors import format_factors


def build_design(loaded: LoadedExperiment, pool: PicturePool, participant: Participant) -> Design:
    """Return the design of the main trials.

    A level of the schedule without a number, or a repeated value of a factor, raises a `StimgenError`.
    """
    experiment = loaded.experiment
    with loaded.at("paradigm"):
        factors = list_factors(experiment, pool)
        sources = experiment.paradigm.list_sources(pool.sources, make_shared_key(experiment))
    level, by = None, experiment.schedule.level
    if by is not None:
        with loaded.at("schedule"):
            hz = experiment.display.refresh_hz
            level = build_level_scale(by, experiment.schedule.values, factors, pool, hz)
            harder = find_harder_direction(by, likeness_helps=experiment.paradigm.likeness_helps)
            level = replace(level, harder=harder)
    answers, without_signal = experiment.paradigm.answers(), NO_VALUES
    if level is not None and experiment.schedule.adaptive:
        without_signal = list_without_signal(experiment, factors, sources[0], level)
    return Design(
        factors=factors,
        sources=sources,
        balanced=list_balanced_factors(experiment),
        participant=participant,
        key=make_shared_key(experiment),
        level=level,
        chance=1 / len(answers) if answers else None,
        without_signal=without_signal,
        detection=experiment.paradigm.detection,
        kinds=_list_kinds(pool, sources),
    )


def _list_kinds(pool: PicturePool, sources: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found = ((source, format_factors(pool.source_factors(source))) for source in sources)
    return tuple((source, kind) for source, kind in found if kind)


def build_practice_design(experiment: Experiment, main: Design) -> Design | None:
    """Return the design of practice, which `main` is changed into; None without practice."""
    settings = experiment.practice
    if settings is None:
        return None
    return _replace_stimuli(experiment, main, settings, settings.own_sources)


def list_catch_series(experiment: Experiment, main: Design) -> tuple[CatchSeries, ...]:
    """Return each kind of catch trials, for the session of the design `main`."""
    return tuple(
        CatchSeries(
            one.name,
            one.every,
            one.shift,
            _replace_stimuli(experiment, main, one, one.sources),
        )
        for one in experiment.catch
    )


def _replace_stimuli(
    experiment: Experiment, main: Design, some: PracticeSettings | CatchSettings, sources: tuple[str, ...]
) -> Design:
    """Return the main design with the stimuli of practice or of catch trials, combined by the paradigm."""
    paradigm, key = experiment.paradigm, make_shared_key(experiment)
    combined = paradigm.list_sources(sources, key) if sources else ()
    design = replace_stimuli(main, some.conditions, combined, _format_all(some.stimulus))
    if not some.conditions:
        return design
    own = {factor.name: factor for factor in paradigm.picture_factors(some.conditions, key)}
    return replace(design, factors=tuple(own.get(one.name, one) for one in design.factors))


def list_other_values(experiment: Experiment) -> dict[str, tuple[str, ...]]:
    """Return the conditions, durations and sources that practice and catch trials name, by factor."""
    some = (*experiment.catch, *((experiment.practice,) if experiment.practice else ()))
    return {
        "condition": tuple(name for one in some for name in one.conditions),
        "duration": tuple(name for one in some for name in _format_all(one.stimulus)),
        "source": tuple(name for one in experiment.catch for name in one.sources),
    }


def _format_all(durations: Sequence[Duration] | None) -> tuple[str, ...]:
    return tuple(str(duration) for duration in durations or ())


def list_factors(experiment: Experiment, pool: PicturePool) -> tuple[Factor, ...]:
    """Return the factors that differ from trial to trial, the condition first."""
    found = list(experiment.paradigm.picture_factors(pool.conditions, make_shared_key(experiment)))
    if len(pool.labels) > 1:
        found.append(Factor("set", pool.labels))
    if len(experiment.timing.stimulus) > 1:
        found.append(Factor("duration", tuple(str(duration) for duration in experiment.timing.stimulus)))
    if experiment.timing.soa is not None and len(experiment.timing.soa) > 1:
        found.append(Factor("soa", tuple(str(duration) for duration in experiment.timing.soa)))
    cue = experiment.timing.cue
    if cue is not None and len(cue.deal) > 1 and not cue.is_balanced:
        found.append(Factor("cue", cue.deal))
    if len(experiment.stimuli.meet) > 1:
        found.append(Factor("meet", tuple(experiment.stimuli.meet)))
    found += experiment.paradigm.factors()
    for factor in found:
        seen: set[Scalar] = set()
        for value in factor.values:
            if value in seen:
                raise StimgenError(f"{factor.name}: {value!r} is named twice")
            seen.add(value)
    return tuple(found)


def make_shared_key(experiment: Experiment) -> tuple[str | int, ...]:
    """Return the key of the random numbers that all participants share."""
    return "experiment", experiment.name, experiment.seed


def list_balanced_factors(experiment: Experiment) -> tuple[Factor, ...]:
    """Return the factors that should occur equally often, in the words of the first pairing.

    With several pairings, the synthesis of another seed can replace the original; what a factor says of the
    original then holds for that synthesis.
    """
    cue = experiment.timing.cue
    cues = (Factor("cue", cue.deal),) if cue is not None and cue.is_balanced else ()
    return *experiment.paradigm.balanced_factors(experiment.stimuli.meet[0]), *cues
