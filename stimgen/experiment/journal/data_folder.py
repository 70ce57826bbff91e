"""Names the files in the folder of an experiment's data."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.header import HUMAN_OBSERVER
from stimgen.experiment.journal.journal import has_header, read_header
from stimgen.reading.errors import StimgenError

JOURNALS, FORMS, BIDS, CSV = "journals", "participants", "bids", "csv"
PSYCH_DS = "psychds"

_NAME = re.compile(
    r"^sub-(?P<participant>[A-Za-z0-9]+)_ses-(?P<session>[A-Za-z0-9]+)_task-(?P<task>\w+)\.jsonl$"
)


class JournalFile(NamedTuple):
    """Represents a journal in the folder by what its name says."""

    participant: str
    session: str
    task: str
    file: Path


@dataclass(frozen=True)
class DataFolder:
    """Represents the folder of an experiment's data."""

    folder: Path

    def journal_file(self, participant: Participant, experiment: str) -> Path:
        """Return the path of a session's journal."""
        return self.folder / JOURNALS / f"{_stem(participant)}_task-{experiment}.jsonl"

    def form_file(self, participant: Participant) -> Path:
        """Return the path of a participant's form."""
        return self.folder / FORMS / f"{_stem(participant)}.json"

    def journals(self) -> list[JournalFile]:
        """Return all journals, sorted by name."""
        files = sorted((self.folder / JOURNALS).glob("*.jsonl"))
        matches = ((_NAME.match(file.name), file) for file in files)
        return [JournalFile(**match.groupdict(), file=file) for match, file in matches if match]

    def refuse_existing(self, participant: Participant, experiment: str) -> None:
        """Raise StimgenError if the session exists already; upper and lower case count as the same."""
        wanted = (participant.label.lower(), participant.session.lower(), experiment)
        for one in self.journals():
            if (one.participant.lower(), one.session.lower(), one.task) == wanted and has_header(one.file):
                raise StimgenError(
                    f"participant {one.participant}, session {one.session} of {experiment} exists already",
                    where=one.file,
                    hint="continue it with --resume, or name another participant or session",
                )

    def refuse_other_observers(self, observer: str) -> None:
        """Raise StimgenError if people and computed observers would share the folder."""
        human, before = observer == HUMAN_OBSERVER, self._find_observer()
        if before is not None and (before == HUMAN_OBSERVER) != human:
            here, wanted = ("computed observers", "people") if human else ("people", "computed observers")
            raise StimgenError(
                f"holds sessions of {here}: those of {wanted} need a folder of their own",
                where=self.folder,
                hint="leave out -o, or name another folder",
            )

    def _find_observer(self) -> str | None:
        """Return the observer of the first journal that can be read; all of a folder are of one kind."""
        for one in self.journals():
            with suppress(StimgenError):  # another participant's damaged journal does not stop this one
                if header := read_header(one.file):
                    return header.observer.name
        return None


def _stem(participant: Participant) -> str:
    return f"sub-{participant.label}_ses-{participant.session}"
