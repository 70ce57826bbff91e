"""From an experiment and its pictures to what a schedule is told."""

from __future__ import annotations

from stimgen.experiment.design.decisions import Design, Factor, LevelScale, Participant
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.trials.levels import build_level_scale
from stimgen.reading.errors import StimgenError


def build_design(loaded: LoadedExperiment, pool: PicturePool, person: Participant) -> Design:
    """Return the design of the trials that count.

    Raises
    ------
    StimgenError
        A level of the schedule has no number; a factor has the same value twice.
    """
    return _build_design(loaded, pool, person, pool.sources)


def build_practice_design(loaded: LoadedExperiment, pool: PicturePool, person: Participant) -> Design:
    """Return the same with the sources of the practice."""
    return _build_design(loaded, pool, person, pool.practice_sources)


def _build_design(
    loaded: LoadedExperiment, pool: PicturePool, person: Participant, sources: tuple[str, ...]
) -> Design:
    experiment = loaded.experiment
    factors = list_factors(experiment, pool)
    with loaded.at("schedule"):
        level = _build_level(experiment, pool, factors)
    return Design(
        factors=factors,
        sources=sources,
        balanced=list_balanced_factors(experiment),
        person=person,
        key=("experiment", experiment.name, experiment.seed),
        level=level,
        chance=1 / len(answers) if (answers := experiment.paradigm.answers()) else None,
    )


def list_factors(experiment: Experiment, pool: PicturePool) -> tuple[Factor, ...]:
    """Return what differs from trial to trial by design, the condition first."""
    found = [Factor("condition", pool.conditions)]
    if len(experiment.timing.stimulus) > 1:
        found.append(Factor("duration", tuple(str(duration) for duration in experiment.timing.stimulus)))
    if len(experiment.stimuli.meet) > 1:
        found.append(Factor("meet", tuple(experiment.stimuli.meet)))
    found += experiment.paradigm.factors()
    for factor in found:
        twice = [value for i, value in enumerate(factor.values) if value in factor.values[:i]]
        if twice:
            raise StimgenError(f"{factor.name}: {twice[0]!r} is named twice")
    return tuple(found)


def list_balanced_factors(experiment: Experiment) -> tuple[Factor, ...]:
    """Return what the paradigm wants to occur equally often, in the words of the first meeting.

    Where pictures meet in several ways, another seed's synthesis takes the part of the original: what is
    said of the original then holds for it.
    """
    return experiment.paradigm.balanced_factors(experiment.stimuli.meet[0])


def _build_level(experiment: Experiment, pool: PicturePool, factors: tuple[Factor, ...]) -> LevelScale | None:
    schedule = experiment.schedule
    if schedule.level is None:
        return None
    return build_level_scale(schedule.level, schedule.values, factors, pool, experiment.display.refresh_hz)
