"""Sessions as journals keep them, in the parts between interruptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimgen.experiment.journal import Recorded, TrialLine, read_journal

PERSON = "psychopy"


@dataclass(frozen=True)
class Part:
    """What was run without an interruption: its times are counted from its own beginning.

    Attributes
    ----------
    about : dict
        ``observer``, ``display``, ``versions`` and ``started``, as the journal has them.
    trials : tuple of TrialLine
        In their order.
    """

    about: dict[str, Any]
    trials: tuple[TrialLine, ...]

    @property
    def measured(self) -> dict[str, Any]:
        """What was measured of the screen."""
        found: dict[str, Any] = self.about["display"]["measured"]
        return found

    @property
    def viewing(self) -> dict[str, Any]:
        """The screen as declared, and where the eyes were."""
        found: dict[str, Any] = self.about["display"]["viewing"]
        return found

    @property
    def presenter(self) -> tuple[str, str]:
        """Name and version of the software that presented."""
        versions = self.about["versions"]
        if self.about["observer"]["name"] == PERSON:
            return "PsychoPy", str(versions.get("psychopy", ""))
        return f"stimgen ({self.about['observer']['name']} observer)", str(versions.get("stimgen", ""))


@dataclass(frozen=True)
class KeptSession:
    """A participant's session.

    Attributes
    ----------
    participant, session, experiment : str
        Labels of the first two, name of the third.
    observer : str
        ``person``, or the name of what stood in for one.
    instructions : str
        What was read at the beginning.
    header : dict
        The journal's.
    parts : tuple of Part
        Those with trials.
    told : dict
        What of the participant's form is to be in tables: field to answer.
    """

    participant: str
    session: str
    experiment: str
    observer: str
    instructions: str
    header: dict[str, Any]
    parts: tuple[Part, ...]
    told: dict[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"sub-{self.participant}_ses-{self.session}"


def read_session(file: Path) -> KeptSession:
    """Return the session of a journal.

    Raises
    ------
    StimgenError
        The journal is missing or damaged, or holds nothing.
    """
    recorded = read_journal(file)
    header = recorded.header
    name = header["observer"]["name"]
    return KeptSession(
        participant=header["participant"],
        session=header["session"],
        experiment=header["experiment"]["name"],
        observer="person" if name == PERSON else name,
        instructions=next((event["text"] for event in recorded.events if event["event"] == "start"), ""),
        header=header,
        parts=_parts(recorded),
    )


def _parts(recorded: Recorded) -> tuple[Part, ...]:
    """Return the parts that interruptions made, without those in which no trial was finished."""
    begins = [recorded.header, *(event for event in recorded.events if event["event"] == "resumed")]
    ends = [event["seq"] for event in begins[1:]] + [None]
    parts = []
    for about, end in zip(begins, ends, strict=True):
        trials = [
            line for line in recorded.trials if line.seq > about["seq"] and (end is None or line.seq < end)
        ]
        parts.append(Part(about, tuple(trials)))
    return tuple(part for part in parts if part.trials)
