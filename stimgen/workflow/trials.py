"""The trials of a participant's session, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from stimgen.experiment.choice import Choice, Person
from stimgen.experiment.course import Course
from stimgen.experiment.load import LoadedExperiment
from stimgen.experiment.session import trials_of
from stimgen.experiment.trial import Trial
from stimgen.workflow.experiment_course import Room


def list_trials(loaded: LoadedExperiment, person: Person, stimuli: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the full list of trials, or an adaptive schedule's candidates.

    Returns
    -------
    dict
        ``experiment``, ``participant``, ``session``, ``adaptive``; ``trials``: what the journal keeps of
        every trial before it is run; of an adaptive schedule ``candidates``: for every trial that may come,
        a trial for each level.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is.
    """
    course = Room.of(loaded, stimuli).course(person)
    adaptive = loaded.experiment.schedule.adaptive
    found: dict[str, Any] = {
        "experiment": loaded.experiment.name,
        "participant": person.participant,
        "session": person.session,
        "adaptive": adaptive,
    }
    if adaptive:
        choices = loaded.experiment.schedule.choices(course.design)
        found["candidates"] = [
            [trial.plain() for trial in candidates(course, choice, i)] for i, choice in enumerate(choices, 1)
        ]
    else:
        found["trials"] = [trial.plain() for trial in trials_of(course)]
    return found


def candidates(course: Course, choice: Choice, index: int) -> list[Trial]:
    """Return what a candidate of an adaptive schedule is at every level."""
    level = course.design.level
    if level is None:
        return [course.composer.trial(choice, index)]
    return [
        course.composer.trial(replace(choice, levels={**choice.levels, level.factor: value}), index)
        for value in level.values
    ]


def trials_text(found: dict[str, Any]) -> str:
    """Return a list of trials for people: a line a trial."""
    who = f"{found['experiment']}, participant {found['participant']}, session {found['session']}"
    if not found["adaptive"]:
        trials = found["trials"]
        return "\n".join([f"{who}: {len(trials)} trials", *(_line(trial) for trial in trials)])
    head = f"{who}: at most {len(found['candidates'])} trials, each with the level that answers lead to"
    lines = [head]
    for among in found["candidates"]:
        lines += [f"trial {among[0]['index']}, one of:", *("  " + _line(trial) for trial in among)]
    return "\n".join(lines)


def _line(trial: dict[str, Any]) -> str:
    kind = "practice " if trial["practice"] else ""
    said = [f"{key} {value}" for key, value in {**trial["levels"], **trial["balanced"]}.items()]
    pictures = [
        f"{shown['role']}{'' if shown['seed'] is None else ' ' + str(shown['seed'])} "
        f"at ({shown['degrees'][0]:.1f}, {shown['degrees'][1]:.1f})"
        for phase in trial["phases"]
        for shown in phase["shown"]
    ]
    answer = f"; correct: {trial['correct']}" if trial["correct"] is not None else ""
    return (
        f"{trial['index']:>4} {kind}block {trial['block']}: {trial['source']}, {', '.join(said)}: "
        f"{', '.join(pictures)}{answer}"
    )
