"""Sessions as journals keep them, in the parts between interruptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.header import JournalHeader, SessionStart
from stimgen.experiment.journal.journal import RecordedSession, RecordedTrial, read_journal
from stimgen.reading.errors import StimgenError

HUMAN_OBSERVER = "psychopy"


@dataclass(frozen=True)
class SessionPart:
    """What was run without an interruption: its times are counted from its own beginning.

    Attributes
    ----------
    begin : SessionStart
        Screen, versions and time.
    trials : tuple of RecordedTrial
        In their order.
    """

    begin: SessionStart
    trials: tuple[RecordedTrial, ...]

    @property
    def refresh_hz(self) -> float | None:
        """As measured; None where no screen was."""
        found = self.begin.display.measured.get("refresh_hz")
        return float(found) if isinstance(found, int | float) else None

    @property
    def presenter(self) -> tuple[str, str]:
        """Name and version of the software that presented."""
        name, versions = self.begin.observer.name, self.begin.versions
        if name == HUMAN_OBSERVER:
            return "PsychoPy", versions.get("psychopy", "")
        return f"stimgen ({name} observer)", versions.get("stimgen", "")


@dataclass(frozen=True)
class JournalSession:
    """A participant's session.

    Attributes
    ----------
    header : JournalHeader
        The journal's.
    parts : tuple of SessionPart
        Those with trials.
    instructions : str
        What was read at the beginning.
    told : dict
        What of the participant's form is to be in tables: field to answer.
    """

    header: JournalHeader
    parts: tuple[SessionPart, ...]
    instructions: str
    told: dict[str, str] = field(default_factory=dict)

    @property
    def person(self) -> Participant:
        """Whose it is."""
        return Participant(self.header.participant, self.header.session)

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.header.experiment.name

    @property
    def observer(self) -> str:
        """``person``, or the name of what stood in for one."""
        return "person" if self.header.observer.name == HUMAN_OBSERVER else self.header.observer.name

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"sub-{self.header.participant}_ses-{self.header.session}"


def read_session(file: Path) -> JournalSession:
    """Return the session of a journal.

    Raises `StimgenError` where the journal is missing or damaged, holds nothing, or is called as another
    session's.
    """
    recorded = read_journal(file)
    texts = (event.get("text", "") for event in recorded.events if event.get("event") == "start")
    session = JournalSession(recorded.header, _split_parts(recorded, file), str(next(texts, "")))
    name = DataFolder(file.parent).journal_file(session.person, session.experiment).name
    if file.name != name:
        raise StimgenError(f"was renamed, and is {name}: give it that name again", where=file)
    return session


def _split_parts(recorded: RecordedSession, file: Path) -> tuple[SessionPart, ...]:
    """Return the parts that interruptions made, without those in which no trial was finished."""
    resumed = [event for event in recorded.events if event.get("event") == "resumed"]
    begins = [recorded.header, *(SessionStart.parse(event, file) for event in resumed)]
    ends = [begin.seq for begin in begins[1:]] + [len(recorded.trials) + len(recorded.events) + 2]
    parts = []
    for begin, end in zip(begins, ends, strict=True):
        trials = tuple(line for line in recorded.trials if begin.seq < line.seq < end)
        for line in trials:
            _check_shown(line, file)
        parts.append(SessionPart(begin, trials))
    return tuple(part for part in parts if part.trials)


def _check_shown(line: RecordedTrial, file: Path) -> None:
    phases, shots = line.trial.phases, line.outcome.shots
    if not line.trial.stimuli or len(phases) != len(shots):
        raise StimgenError(
            f"trial {line.trial.index} has {len(phases)} phases, and {len(shots)} of them were shown",
            where=file,
        )
