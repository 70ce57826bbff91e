"""Simulates whole studies in memory: the trials, observers and analysis of a real one, without frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from stimgen.analysis.exclusions import apply_exclusions
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.experiment.design.decision_model import find_decision_model
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.experiment.schema.observer_settings import ModelObserverSettings, SimulatedObserverSettings
from stimgen.experiment.session.observers.base import ObserverContext
from stimgen.experiment.session.observers.model import ModelObserver, read_features
from stimgen.experiment.session.observers.simulated import SimulatedObserver
from stimgen.experiment.session.session import list_planned_trials
from stimgen.experiment.session.standardised_features import StandardisedFeatures
from stimgen.experiment.trials.grading import grade_answer
from stimgen.experiment.trials.keys import assign_keys
from stimgen.workflow.prepared_experiment import PreparedExperiment

ObserverSettings = SimulatedObserverSettings | ModelObserverSettings
SharedFeatures = dict[tuple[str | None, str], StandardisedFeatures]
"""Features by group and description of the observer."""


@dataclass(frozen=True)
class SimulatedParticipant:
    """Holds the trials of a participant to come."""

    prepared: PreparedExperiment
    """The experiment as the participant's group sees it."""
    participant: Participant
    trials: tuple[Trial, ...]
    """All trials of the session, with one round of practice."""

    @classmethod
    def list_trials(cls, prepared: PreparedExperiment, participant: Participant) -> SimulatedParticipant:
        """Return a participant with the trials that ``stimgen run`` would show."""
        procedure = prepared.build_procedure(participant)
        chosen, placed = prepared.choose_group(participant)
        return cls(chosen, placed, tuple(list_planned_trials(procedure)))

    def make_observer(
        self, settings: ObserverSettings, shared: SharedFeatures
    ) -> SimulatedObserver | ModelObserver:
        """Return an observer of this description, who is shown no frames and asked no further questions.

        `shared` keeps features for the next participant of the group.
        """
        prepared, name = self.prepared, _find_name(settings)
        changes = {name: settings, "questions": ()}
        experiment = prepared.loaded.experiment.model_copy(update=changes)
        keys = assign_keys(experiment, self.participant)
        context = ObserverContext(
            experiment, self.participant, prepared.pool, prepared.viewing, prepared.frames, keys
        )
        if name != "model":
            return SimulatedObserver(context)
        key = (prepared.group, str(settings))
        features = shared.get(key) or read_features(context)
        shared[key] = features
        return ModelObserver(context, features)

    def find_mean_dprime(self, settings: SimulatedObserverSettings) -> float:
        """Return the mean d' of all cells of the design, over participants."""
        observer = self.make_observer(settings, {})
        return observer.mean_dprime if isinstance(observer, SimulatedObserver) else float("nan")

    def answer(
        self, settings: ObserverSettings, shared: SharedFeatures
    ) -> Iterator[tuple[str | None, float, float]]:
        """Yield for each trial the answer, NaN, 0 or 1 for correct, and the response time in seconds."""
        experiment, observer = self.prepared.loaded.experiment, self.make_observer(settings, shared)
        for trial in self.trials:
            answer, time = observer.find_counted(trial, *observer.answer(trial)) or (None, float("nan"))
            grade = grade_answer(experiment, trial, answer)
            correct = float("nan") if grade is None or answer is None else float(grade)
            yield answer, correct, time


@dataclass(frozen=True)
class SimulatedStudy:
    """Holds what all simulated studies of an experiment share: participants and their trials."""

    members: tuple[SimulatedParticipant, ...]
    rules: ExclusionRules | None

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        rows = [_describe(trial, member) for member in self.members for trial in member.trials]
        names = dict.fromkeys(key for row in rows for key in row)
        return {name: [row.get(name) for row in rows] for name in names}

    @cached_property
    def _template(self) -> TrialTable:
        """Return the table of the trials before they are answered."""
        factors = dict.fromkeys(
            name for member in self.members for trial in member.trials for name in trial.levels
        )
        names = tuple(sorted(factors, key=lambda name: name != "condition"))
        paradigm = self.members[0].prepared.loaded.experiment.paradigm
        model, answers = find_decision_model(paradigm), paradigm.answers()
        chance = model.chance if model else 1 / len(answers) if answers else None
        return TrialTable(complete_frame(self._columns, names), names, model, chance)

    def simulate(self, settings: ObserverSettings) -> TrialTable:
        """Return the answers of all participants, after the experiment's exclusion rules.

        They are those that ``stimgen run --observer simulated`` (or ``model``) has in its journals, and
        ``stimgen analyze`` reads, except that a practice is never repeated.
        """
        shared: SharedFeatures = {}
        given = [one for member in self.members for one in member.answer(settings, shared)]
        answers, correct, seconds = zip(*given, strict=True)
        frame = self._template.frame.assign(
            observer=_find_name(settings),
            response=np.array([answer or "" for answer in answers], dtype=object),
            correct=np.array(correct),
            missed=np.array([answer is None for answer in answers]),
            response_time=np.array(seconds),
        )
        if "response_time_last" in frame.columns:
            frame["response_time_last"] = frame["response_time"] - self._intervals
        table = replace(self._template, frame=frame)
        if self.rules is None:
            return table
        return apply_exclusions(table, {str(frame["experiment"].iloc[0]): self.rules})

    @cached_property
    def _intervals(self) -> Any:
        return np.array(
            [
                _find_last_onset(trial, member.prepared.viewing.refresh_hz)
                for member in self.members
                for trial in member.trials
            ]
        )


def _find_name(settings: ObserverSettings) -> str:
    return "model" if isinstance(settings, ModelObserverSettings) else "simulated"


def select_participants(table: TrialTable, labels: Sequence[str]) -> TrialTable:
    """Return the trials of some participants."""
    return replace(table, frame=table.frame[table.frame["participant"].isin(labels)])


def _find_last_onset(trial: Trial, refresh_hz: float) -> float:
    """Return the seconds from the onset of the first pictures to that of the last ones."""
    places = [i for i, phase in enumerate(trial.phases) if phase.kind == "stimulus"]
    return sum(phase.frames for phase in trial.phases[places[0] : places[-1]]) / refresh_hz


def _describe(trial: Trial, member: SimulatedParticipant) -> dict[str, Any]:
    return {
        **trial.levels,
        "participant": member.participant.label,
        "session": member.participant.session,
        "group": member.prepared.group,
        "experiment": member.prepared.loaded.experiment.name,
        "block": trial.block,
        "trial": trial.index,
        "practice": trial.practice,
        "catch": trial.catch,
        "source": trial.source,
        "level": trial.number,
        "oddball": trial.balanced.get("oddball"),
        "response": "",
        "correct_response": trial.correct,
        "correct": None,
        "missed": False,
        "response_time": None,
    }
