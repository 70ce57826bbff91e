"""The folder of an experiment's data: what lies where, and what exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import has_header
from stimgen.reading.errors import StimgenError

JOURNALS, FORMS, BIDS, CSV = "journals", "participants", "bids", "csv"

_NAME = re.compile(
    r"^sub-(?P<participant>[A-Za-z0-9]+)_ses-(?P<session>[A-Za-z0-9]+)_task-(?P<task>\w+)\.jsonl$"
)


class JournalFile(NamedTuple):
    """A journal in the folder."""

    participant: str
    session: str
    task: str
    file: Path


@dataclass(frozen=True)
class DataFolder:
    """The data of an experiment.

    Attributes
    ----------
    folder : Path
        Where they lie.
    """

    folder: Path

    def journal_file(self, person: Participant, experiment: str) -> Path:
        """Return where a session's journal lies."""
        return self.folder / JOURNALS / f"{_stem(person)}_task-{experiment}.jsonl"

    def form_file(self, person: Participant) -> Path:
        """Return where a participant's form lies."""
        return self.folder / FORMS / f"{_stem(person)}.json"

    def journals(self) -> list[JournalFile]:
        """Return all journals, by their names."""
        found = []
        for file in sorted((self.folder / JOURNALS).glob("*.jsonl")):
            match = _NAME.match(file.name)
            if match is not None:
                found.append(JournalFile(match["participant"], match["session"], match["task"], file))
        return found

    def refuse_existing(self, person: Participant, experiment: str) -> None:
        """Refuse a participant and session that exist; also where only upper and lower case differ.

        Raises
        ------
        StimgenError
            They exist.
        """
        wanted = (person.participant.lower(), person.session.lower(), experiment)
        for one in self.journals():
            if (one.participant.lower(), one.session.lower(), one.task) == wanted and has_header(one.file):
                raise StimgenError(
                    f"participant {one.participant}, session {one.session} of {experiment} exists already",
                    where=one.file,
                    hint="go on with it with --resume, or name another participant or session",
                )


def _stem(person: Participant) -> str:
    return f"sub-{person.participant}_ses-{person.session}"
