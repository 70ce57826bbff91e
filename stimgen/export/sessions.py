"""Reads sessions from their journals, in the parts between interruptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.experiment.design.trial import MAIN_START, MainStart
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.exclusions import read_exclusion_rules
from stimgen.experiment.journal.header import HUMAN_OBSERVER, JournalHeader, SessionStart
from stimgen.experiment.journal.journal import RecordedSession, RecordedTrial, read_journal
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.reading.errors import Location, StimgenError

OBSERVERS = {
    "person": "a person",
    "simulated": "a computed observer of known sensitivity",
    "model": "a computed observer that compares features of the pictures",
}


@dataclass(frozen=True)
class SessionPart:
    """Holds what was run without an interruption; its times are counted from its own beginning."""

    begin: SessionStart
    """Screen, versions and time."""
    trials: tuple[RecordedTrial, ...]
    main_start: MainStart | None = None
    """When the main trials began on the part's clock; None if they did not, or version 0.1.0 ran it."""

    @property
    def refresh_hz(self) -> float | None:
        """Return the refresh rate as it was measured; None where there was no screen."""
        found = self.begin.display.measured.get("refresh_hz")
        return float(found) if isinstance(found, int | float) else None

    @property
    def planned_refresh_hz(self) -> float:
        """Return the refresh rate that the experiment declares, by which durations were counted."""
        return self.begin.display.viewing.refresh_hz

    @property
    def observer(self) -> str:
        """Return ``person``, or the name of the computed observer."""
        return _describe_observer(self.begin.observer.name)

    def observer_of(self, line: RecordedTrial) -> str:
        """Return who answered a trial: ``person``, or the name of a computed observer."""
        return self.observer if line.observer is None else _describe_observer(line.observer)

    @property
    def presenter(self) -> tuple[str, str]:
        """Return name and version of the software that presented the trials."""
        name, versions = self.begin.observer.name, self.begin.versions
        if name == HUMAN_OBSERVER:
            return "PsychoPy", versions.get("psychopy", "")
        return f"stimgen ({name} observer)", versions.get("stimgen", "")


@dataclass(frozen=True)
class JournalSession:
    """Holds a participant's session."""

    header: JournalHeader
    parts: tuple[SessionPart, ...]
    """Only parts with trials."""
    instructions: str
    thresholds: tuple[TrackThreshold, ...] = ()
    """Thresholds of an adaptive schedule."""
    exclusions: ExclusionRules | None = None
    """Exclusion rules that the experiment states."""
    criterion_missed: bool = False
    """Whether a practice ended without reaching its criterion."""
    participant_exclusion: str | None = None
    """Why the participant does not count, over all sessions; empty if they do, None if that is not known."""
    form_answers: dict[str, str] = field(default_factory=dict)
    """Answers of the participant's form that are to be in tables, by field."""

    @property
    def participant(self) -> Participant:
        """Return who took part, and in which session."""
        return Participant(self.header.participant, self.header.session)

    @property
    def experiment(self) -> str:
        """Return the experiment's name."""
        return self.header.experiment.name

    @property
    def observers(self) -> list[str]:
        """Return who answered, in their order: ``person``, or names of computed observers.

        Version 0.1.0 let another observer finish a session, so that there may be several.
        """
        answered = [part.observer_of(line) for part in self.parts for line in part.trials]
        return list(dict.fromkeys(answered or [SessionPart(self.header, ()).observer]))

    @property
    def stem(self) -> str:
        """Return the beginning of the names of the session's files."""
        return f"sub-{self.header.participant}_ses-{self.header.session}"


def read_session(file: Path) -> JournalSession:
    """Return the session of a journal.

    Raises `StimgenError` where the journal is missing, damaged or empty, or its file was renamed.
    """
    recorded = read_journal(file)
    for line in recorded.trials:
        phases, shots = line.trial.phases, line.outcome.shots
        if not line.trial.stimuli or len(phases) != len(shots):
            raise StimgenError(
                f"trial {line.trial.index} has {len(phases)} phases, and {len(shots)} of them were shown",
                where=file,
            )
    texts = (event.get("text", "") for event in recorded.events if event.get("event") == "start")
    instructions = str(next(texts, ""))
    session = JournalSession(
        recorded.header,
        _split_parts(recorded, file),
        instructions,
        recorded.thresholds,
        exclusions=read_exclusion_rules(recorded.header, file),
        criterion_missed=any(event.get("event") == "criterion_missed" for event in recorded.events),
    )
    name = DataFolder(file.parent).journal_file(session.participant, session.experiment).name
    if file.name != name:
        raise StimgenError(f"was renamed, and is {name}: give it that name again", where=file)
    return session


def _split_parts(recorded: RecordedSession, file: Path) -> tuple[SessionPart, ...]:
    """Return the parts between interruptions, without those in which no trial was finished."""
    resumed = [event for event in recorded.events if event.get("event") == "resumed"]
    begins = [recorded.header, *(SessionStart.parse(event, file) for event in resumed)]
    ends = [begin.seq for begin in begins[1:]] + [len(recorded.trials) + len(recorded.events) + 2]
    starts = [event for event in recorded.events if event.get("event") == MAIN_START]
    parts = (
        SessionPart(
            begin,
            tuple(line for line in recorded.trials if begin.seq < line.seq < end),
            next((_parse_start(event, file) for event in starts if begin.seq < event["seq"] < end), None),
        )
        for begin, end in zip(begins, ends, strict=True)
    )
    return tuple(part for part in parts if part.trials)


def _parse_start(event: dict[str, Any], file: Path) -> MainStart:
    seconds, trigger = event.get("seconds"), event.get("trigger")
    if not isinstance(seconds, int | float) or not isinstance(trigger, str | None):
        raise StimgenError("does not say when its main trials began", where=Location(file, event["seq"] + 1))
    return MainStart(float(seconds), trigger)


def _describe_observer(name: str) -> str:
    return "person" if name == HUMAN_OBSERVER else name
