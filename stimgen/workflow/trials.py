"""The trials of a participant's session, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant, TrialDecision
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.session.session import list_planned_trials, list_practice_trials
from stimgen.experiment.trials.procedure import SessionProcedure
from stimgen.workflow.prepared_experiment import PreparedExperiment


def list_trials(
    loaded: LoadedExperiment, person: Participant, stimuli: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Return the full list of trials, or an adaptive schedule's candidates.

    Returns
    -------
    dict
        ``experiment``, ``participant``, ``session``, ``adaptive``; ``trials``: what the journal keeps of
        every trial before it is run; of an adaptive schedule ``practice``, and ``candidates``: for every
        trial that may come, one for each combination of factors. Practice stands there once; where it is
        repeated, the numbers of trials rise, and nothing else changes.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is.
    """
    return list_session_trials(PreparedExperiment.of(loaded, stimuli), person)


def list_session_trials(room: PreparedExperiment, person: Participant) -> dict[str, Any]:
    """Return the trials of a session in a room that is known, as `list_trials` does.

    Raises
    ------
    StimgenError
        The schedule cannot be followed.
    """
    course, experiment = room.course(person), room.loaded.experiment
    adaptive = experiment.schedule.adaptive
    found: dict[str, Any] = {
        "experiment": experiment.name,
        "participant": person.participant,
        "session": person.session,
        "adaptive": adaptive,
    }
    if adaptive:
        choices = experiment.schedule.list_decisions(course.design)
        practice = list_practice_trials(course)
        found["practice"] = [trial.to_dict() for trial in practice]
        found["candidates"] = [
            [trial.to_dict() for trial in list_candidates(course, choice, i, len(practice))]
            for i, choice in enumerate(choices, 1)
        ]
    else:
        found["trials"] = [trial.to_dict() for trial in list_planned_trials(course)]
    return found


def list_candidates(
    course: SessionProcedure, choice: TrialDecision, among: int, practice: int
) -> list[Trial]:
    """Return what a candidate of an adaptive schedule is with every combination of the factors."""
    factors = course.design.factors
    found = []
    for values in product(*(factor.values for factor in factors)):
        levels = dict(zip((factor.name for factor in factors), values, strict=True))
        found.append(course.composer.trial(replace(choice, levels=levels), practice + among, among))
    return found


def format_trials(found: dict[str, Any]) -> str:
    """Return a list of trials for people: a line a trial."""
    who = f"{found['experiment']}, participant {found['participant']}, session {found['session']}"
    if not found["adaptive"]:
        trials = found["trials"]
        return "\n".join([f"{who}: {len(trials)} trials", *(_format_trial(trial) for trial in trials)])
    head = f"{who}: at most {len(found['candidates'])} trials, each with the level that answers lead to"
    lines = [head, *(_format_trial(trial) for trial in found["practice"])]
    for among in found["candidates"]:
        lines += [f"trial {among[0]['index']}, one of:", *("  " + _format_trial(trial) for trial in among)]
    return "\n".join(lines)


def _format_trial(trial: dict[str, Any]) -> str:
    kind = "practice " if trial["practice"] else ""
    said = [f"{key} {value}" for key, value in {**trial["levels"], **trial["balanced"]}.items()]
    pictures = [
        f"{shown['role']}{'' if shown['seed'] is None else ' ' + str(shown['seed'])} "
        f"at ({shown['degrees'][0]:.1f}, {shown['degrees'][1]:.1f})"
        f" of {shown['size_degrees'][0]:.1f} x {shown['size_degrees'][1]:.1f} deg"
        for phase in trial["phases"]
        for shown in phase["shown"]
    ]
    answer = f"; correct: {trial['correct']}" if trial["correct"] is not None else ""
    return (
        f"{trial['index']:>4} {kind}block {trial['block']}: {trial['source']}, {', '.join(said)}: "
        f"{', '.join(pictures)}{answer}"
    )
