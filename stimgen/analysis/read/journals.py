"""Reads trials from journals of `stimgen run`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimgen.analysis.difference_scaling import LARGER
from stimgen.analysis.judgements import ODD_ITEM, TRIPLET
from stimgen.analysis.read.journal_rows import describe_trial
from stimgen.analysis.streams import STREAM_COLUMNS
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.experiment.design.decision_model import find_decision_model
from stimgen.experiment.design.schedules import Schedule
from stimgen.experiment.design.schedules.staircase import Staircase
from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.experiment.schema.schema import Experiment
from stimgen.export.sessions import JournalSession, read_session
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import DecisionModel


def read_journals(files: Iterable[Path]) -> TrialTable:
    """Return the trials of journals of one task.

    Task, alternatives and decision rule are those of the experiment that a journal keeps.

    Raises
    ------
    StimgenError
        A journal is missing or damaged, or their tasks differ.
    """
    found = _Collection()
    for file in files:
        found.add(file)
    return found.build()


@dataclass
class _Collection:
    """Collects trials, and what else journals tell."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    factors: dict[str, None] = field(default_factory=dict)
    source_factors: dict[str, None] = field(default_factory=dict)
    """Factors that only the stimulus set knows; results are not split by them unless that is asked for."""
    models: dict[DecisionModel | None, Path] = field(default_factory=dict)
    chances: dict[float | None, None] = field(default_factory=dict)
    staircases: dict[tuple[int, int] | None, None] = field(default_factory=dict)
    rules: dict[str, ExclusionRules] = field(default_factory=dict)
    missed: set[tuple[str, str]] = field(default_factory=set)
    thresholds: list[tuple[tuple[str, str, str, str], TrackThreshold]] = field(default_factory=list)
    _experiments: dict[str, Experiment] = field(default_factory=dict)

    def add(self, file: Path) -> None:
        """Add the trials of a journal."""
        session = read_session(file)
        experiment = self._load(session, file)
        model = find_decision_model(experiment.paradigm)
        if model not in self.models and self.models:
            other = next(iter(self.models))
            names = [one.text if one else "a task without d'" for one in (model, other)]
            raise StimgenError(
                f"has another task ({names[0]}) than {self.models[other]} ({names[1]})",
                where=file,
                hint="analyze the experiments one at a time",
            )
        self.models.setdefault(model, file)
        self.staircases[_find_staircase(experiment.schedule)] = None
        self._add_facts(session)
        for part in session.parts:
            for line in part.trials:
                self.rows.append(
                    describe_trial(line, session, part) | {"file": file.name, "row": line.seq + 1}
                )
                if line.trial.is_main:
                    # Practice and catch trials may have conditions and durations of their own.
                    self.factors.update(dict.fromkeys(line.trial.levels))
                    self.source_factors.update(dict.fromkeys(line.trial.source_factors))
                    count = len(line.trial.answers)
                    is_choice = count > 1 and line.trial.correct is not None
                    self.chances[1 / count if is_choice else None] = None

    def _load(self, session: JournalSession, file: Path) -> Experiment:
        """Return the experiment of a session; one text is read once."""
        key = session.header.experiment.sha256
        if key not in self._experiments:
            self._experiments[key] = session.header.experiment.load(file).experiment
        return self._experiments[key]

    def _add_facts(self, session: JournalSession) -> None:
        person = session.participant
        for one in session.thresholds:
            self.thresholds.append(((session.experiment, person.label, person.session, one.track), one))
        if session.exclusions is not None:
            self.rules[session.experiment] = session.exclusions
        if session.criterion_missed:
            self.missed.add((person.label, session.experiment))

    def build(self) -> TrialTable:
        """Return the table of all trials."""
        model = next(iter(self.models), None)
        chance = next(iter(self.chances)) if len(self.chances) == 1 else None
        staircase = next(iter(self.staircases)) if len(self.staircases) == 1 else None
        names = sorted(self.factors, key=lambda name: name != "condition")
        every = dict.fromkeys(name for row in self.rows for name in row)
        columns = {name: [row.get(name) for row in self.rows] for name in every}
        possible = (*self.source_factors, LARGER, TRIPLET, ODD_ITEM, *STREAM_COLUMNS)
        extra = [name for name in possible if name in columns and name not in names]
        return TrialTable(
            complete_frame(columns, [*names, *extra]),
            tuple(names),
            model,
            model.chance if model else chance,
            thresholds=tuple(self.thresholds),
            staircase=staircase,
            rules=tuple(self.rules.items()),
            criterion_missed=frozenset(self.missed),
        )


def _find_staircase(schedule: Schedule) -> tuple[int, int] | None:
    return (schedule.up, schedule.down) if isinstance(schedule, Staircase) else None
