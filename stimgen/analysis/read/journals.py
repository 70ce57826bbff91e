"""Reads trials from journals of `stimgen run`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from stimgen.analysis.difference_scaling import LARGER, SUBSETS
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.experiment.design.paradigms import Paradigm
from stimgen.experiment.design.schedules import Schedule
from stimgen.experiment.design.schedules.staircase import Staircase
from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.export.sessions import JournalSession, SessionPart, read_session
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import RULES, DecisionModel

CONFIDENCE = "confidence"
"""Name of the question after trials whose answers are ratings of confidence."""


def read_journals(files: Iterable[Path]) -> TrialTable:
    """Return the trials of journals of one task.

    Task, alternatives and decision rule are those of the experiment that a journal keeps.

    Raises
    ------
    StimgenError
        A journal is missing or damaged, or their tasks differ.
    """
    rows: list[dict[str, Any]] = []
    factors: dict[str, None] = {}
    models: dict[DecisionModel | None, Path] = {}
    chances: dict[float | None, None] = {}
    rules: dict[str, ExclusionRules] = {}
    thresholds: list[tuple[tuple[str, str, str, str], TrackThreshold]] = []
    missed: set[tuple[str, str]] = set()
    staircases: dict[tuple[int, int] | None, None] = {}
    for file in files:
        session = read_session(file)
        experiment = session.header.experiment.load(file).experiment
        paradigm = experiment.paradigm
        models.setdefault(find_decision_model(paradigm), file)
        for one in session.thresholds:
            label = (session.experiment, session.participant.label, session.participant.session, one.track)
            thresholds.append((label, one))
        if session.exclusions is not None:
            rules[session.experiment] = session.exclusions
        if session.criterion_missed:
            missed.add((session.participant.label, session.experiment))
        staircases[_find_staircase(experiment.schedule)] = None
        for part in session.parts:
            for line in part.trials:
                rows.append(_describe(line, session, part) | {"file": file.name, "row": line.seq + 1})
                # Practice and catch trials may have conditions and durations of their own.
                factors.update(dict.fromkeys(line.trial.levels if line.trial.is_main else ()))
                chances[1 / len(line.trial.answers) if line.trial.answers else None] = None
    if len(models) > 1:
        (first, at), (second, other) = list(models.items())[:2]
        names = [one.text if one else "a task without d'" for one in (first, second)]
        raise StimgenError(
            f"has another task ({names[1]}) than {at} ({names[0]})",
            where=other,
            hint="analyze the experiments one at a time",
        )
    model = next(iter(models), None)
    chance = model.chance if model else next(iter(chances)) if len(chances) == 1 else None
    staircase = next(iter(staircases)) if len(staircases) == 1 else None
    names = sorted(factors, key=lambda name: name != "condition")
    columns = {
        name: [row.get(name) for row in rows] for name in dict.fromkeys(key for row in rows for key in row)
    }
    return TrialTable(
        complete_frame(columns, [*names, *([LARGER] if LARGER in columns else [])]),
        tuple(names),
        model,
        chance,
        thresholds=tuple(thresholds),
        staircase=staircase,
        rules=tuple(rules.items()),
        criterion_missed=frozenset(missed),
    )


def _find_staircase(schedule: Schedule) -> tuple[int, int] | None:
    return (schedule.up, schedule.down) if isinstance(schedule, Staircase) else None


def find_decision_model(paradigm: Paradigm) -> DecisionModel | None:
    """Return the model of a paradigm's answers; None if d' is not defined for it."""
    if paradigm.name == "naming":
        count = len(paradigm.guesses())
        return (
            DecisionModel("forced_choice", alternatives=count) if count > 1 and paradigm.answers() else None
        )
    if paradigm.name not in RULES:
        return None
    rule = str(getattr(paradigm, "rule", ""))
    count = len(paradigm.answers()) if paradigm.name in ("oddity", "forced_choice") else 0
    return DecisionModel(paradigm.name, rule if rule in RULES[paradigm.name] else "", count)


def _describe(line: RecordedTrial, session: JournalSession, part: SessionPart) -> dict[str, Any]:
    trial, outcome = line.trial, line.outcome
    is_missed = outcome.answer is None
    return {
        **trial.levels,
        **_find_larger_pair(line),
        "participant": session.participant.label,
        "session": session.participant.session,
        "group": session.header.group,
        "experiment": session.experiment,
        "observer": part.observer_of(line),
        "block": trial.block,
        "trial": trial.index,
        "practice": trial.practice,
        "catch": trial.catch,
        "source": trial.source,
        "level": trial.number,
        "track": trial.track,
        "oddball": trial.balanced.get("oddball"),
        "response": outcome.answer,
        "correct_response": trial.correct,
        "correct": None if line.correct is None or is_missed else float(line.correct),
        "missed": is_missed,
        "response_time": outcome.seconds,
        "response_time_last": time_from_last(line),
        "interrupted": outcome.interrupted,
        "dropped": sum(shot.dropped for shot in outcome.shots),
        "confidence": _find_confidence(line),
    }


def _find_larger_pair(line: RecordedTrial) -> dict[str, str]:
    """Return which pair of difference scaling was judged to differ more; nothing for other tasks."""
    trial, answer = line.trial, line.outcome.answer
    if not any(name in trial.levels for name in SUBSETS):
        return {}
    if answer not in trial.answers:
        return {LARGER: ""}
    is_second = trial.answers.index(answer) == 1
    return {LARGER: "high" if is_second == (trial.balanced["first"] == "lower") else "low"}


def _find_confidence(line: RecordedTrial) -> float | None:
    """Return the answer to the question named confidence, if it is a number."""
    for further in line.outcome.further:
        if further.question == CONFIDENCE and further.answer is not None:
            with suppress(ValueError):
                return float(further.answer)
    return None
