"""Builds the table of a study's participants, as BIDS wants it."""

from __future__ import annotations

from stimgen.export.columns import TableColumn
from stimgen.export.sessions import OBSERVERS, JournalSession

OLDEST_AGE = 89
"""From this age on, BIDS wants no exact ages, because few people are so old."""


def _list_spellings(*words: str) -> set[str]:
    """Return the spellings that BIDS allows for words."""
    return {way for word in words for one in (word, word[0]) for way in (one, one.upper(), one.capitalize())}


# What BIDS allows in columns of these names; the column gets another name where somebody answered otherwise.
WORDS = {
    "sex": _list_spellings("male", "female", "other"),
    "handedness": _list_spellings("left", "right", "ambidextrous"),
}
UNITS = {"age": "year"}
IDENTITY_COLUMNS = (
    TableColumn("participant_id", "Opaque label of the participant."),
    TableColumn(
        "observer", "Who answered; several, joined by 'and', where sessions are mixed.", levels=OBSERVERS
    ),
)

EXCLUDED = TableColumn(
    "excluded", "Why the participant does not count, by the experiment's exclusion rules; n/a if they do."
)
GROUP = TableColumn("group", "Group that the experiment assigned to the participant.")


class ParticipantTable:
    """Collects the participants of sessions in a table."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, str]] = {}
        self._groups: dict[str, str] = {}
        self._excluded: dict[str, dict[str, None]] = {}

    def add(self, session: JournalSession) -> None:
        """Add the participant of a session; of several answers to one question, the first is kept."""
        label = f"sub-{session.participant.label}"
        row = self._rows.setdefault(label, {"participant_id": label, "observer": ""})
        before = row["observer"].split(" and ") if row["observer"] else []
        row["observer"] = " and ".join(dict.fromkeys([*before, *session.observers]))
        if session.header.group is not None:
            self._groups[label] = session.header.group
        if session.participant_exclusion is not None:
            reasons = self._excluded.setdefault(label, {})
            reasons |= {session.participant_exclusion: None} if session.participant_exclusion else {}
        for field, answer in session.form_answers.items():
            if not row.get(field):
                row[field] = answer

    def build(self) -> tuple[list[TableColumn], list[dict[str, str]]]:
        """Return the columns, and one row per participant."""
        identity = {column.name for column in IDENTITY_COLUMNS}
        fields = dict.fromkeys(field for row in self._rows.values() for field in row if field not in identity)
        names = {field: self._column_name(field) for field in fields}
        columns = [
            TableColumn(name, f"The participant's answer: {field}.", UNITS.get(field))
            for field, name in names.items()
        ]
        rows = [
            {names.get(field, field): _coarsen(field, value) for field, value in row.items()}
            | ({GROUP.name: self._groups.get(label, "")} if self._groups else {})
            | ({EXCLUDED.name: "; ".join(self._excluded.get(label, ()))} if self._excluded else {})
            for label, row in sorted(self._rows.items())
        ]
        assigned = [GROUP] if self._groups else []
        assigned += [EXCLUDED] if self._excluded else []
        return [*IDENTITY_COLUMNS, *assigned, *columns], rows

    def _column_name(self, field: str) -> str:
        answers = {row.get(field, "") for row in self._rows.values()} - {""}
        if field == GROUP.name and self._groups:  # an experiment in the same folder asked for it
            return f"{field}_as_told"
        return field if answers <= WORDS.get(field, answers) else f"{field}_as_told"


def _coarsen(field: str, value: str) -> str:
    return f"{OLDEST_AGE}+" if field == "age" and value and float(value) >= OLDEST_AGE else value
