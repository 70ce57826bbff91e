"""Lists the trials of a participant's session before it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product, takewhile
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant, TrialDecision
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.display import SizeInDegrees
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.session.session import list_planned_trials, list_practice_trials
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure
from stimgen.workflow.prepared_experiment import PreparedExperiment


def list_trials(
    loaded: LoadedExperiment, participant: Participant, stimuli: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Return all trials of a session, or all candidates of an adaptive schedule.

    Returns
    -------
    dict
        ``experiment``, ``participant``, ``session``, ``group``, ``adaptive``; ``size``: width of pictures at
        fixation in degrees, if the experiment says it; ``questions``: those after trials, with when they are
        asked; ``trials``: what the journal records of every trial before it is shown. For an adaptive
        schedule instead ``practice``; ``candidates``: for each trial a list with every combination of the
        factors; and ``catch``: each catch trial (``trial``), and after how many main trials it comes
        (``after``). Practice is listed once; if it is repeated in the session, the numbers of later trials
        rise and nothing else changes.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is.
    """
    return list_session_trials(PreparedExperiment.prepare(loaded, stimuli), participant)


def list_session_trials(prepared: PreparedExperiment, participant: Participant) -> dict[str, Any]:
    """Return what `list_trials` does, for an experiment that is prepared."""
    prepared, participant = prepared.choose_group(participant)
    procedure, experiment = prepared.build_procedure(participant), prepared.loaded.experiment
    found: dict[str, Any] = {
        "experiment": experiment.name,
        "participant": participant.label,
        "session": participant.session,
        "group": prepared.group,
        "adaptive": experiment.schedule.adaptive,
        "size": size.degrees if isinstance(size := experiment.display.size, SizeInDegrees) else None,
        "questions": {question.key: question.when for question in experiment.questions},
    }
    if not experiment.schedule.adaptive:
        return found | {"trials": [trial.to_dict() for trial in list_planned_trials(procedure)]}
    practice = list_practice_trials(procedure)
    found["practice"] = [trial.to_dict() for trial in practice]
    found["candidates"] = [
        [trial.to_dict() for trial in _list_candidates(procedure, decision, number, len(practice))]
        for number, decision in enumerate(experiment.schedule.list_decisions(procedure.design), 1)
    ]
    found["catch"] = list(_list_catch_trials(procedure, len(found["candidates"])))
    return found


def _list_catch_trials(procedure: SessionProcedure, main: int) -> Iterator[dict[str, Any]]:
    """Yield the catch trials that come before the last of `main` trials, each kind in its order."""
    for series in procedure.catch:
        for number in range(1, series.count_due(max(main - 1, 0)) + 1):
            # The block and the number in the session depend on the answers.
            trial = procedure.builder.build(series.decide(number, 1), number, number, catch=series.name)
            yield {"after": series.find_place(number), "trial": trial.to_dict()}


def list_repeated_practice(procedure: SessionProcedure) -> list[Trial]:
    """Return the trials of practice that is repeated because it fails, for as often as it may be."""
    settings = procedure.experiment.practice
    if settings is None or settings.criterion is None:
        return []
    history: list[AnsweredTrial] = []
    repeated: list[Trial] = []
    while (step := procedure.next(history)) is not None:
        before = [one.trial for one in history]
        last = list(takewhile(lambda trial: trial.practice, reversed(before)))
        if step.trial.practice and len(last) >= settings.trials:
            repeated.append(step.trial)
        elif procedure.experiment.schedule.adaptive and not step.trial.practice:
            break  # as `list_session_trials`, which lists the practice at the beginning only
        history.append(AnsweredTrial(step.trial, not step.trial.practice))
    return repeated


def _list_candidates(
    procedure: SessionProcedure, decision: TrialDecision, number: int, practice: int
) -> list[Trial]:
    """Return a trial of an adaptive schedule in every combination of the factors."""
    factors = procedure.design.factors
    found = []
    for values in product(*(factor.values for factor in factors)):
        levels = dict(zip((factor.name for factor in factors), values, strict=True))
        block = procedure.experiment.schedule.find_block(procedure.design, levels)
        decided = replace(decision, levels=levels, block=block)
        found.append(procedure.builder.build(decided, practice + number, number))
    return found
