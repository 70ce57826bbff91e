"""One participant removed everywhere, wholly even where the removal is interrupted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.journal.data_folder import BIDS, CSV, FORMS, JOURNALS
from stimgen.experiment.journal.journal import Journal
from stimgen.export.journals.bids import PARTICIPANTS
from stimgen.reading.atomic import TEMPORARY, replacing, sync_folder
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import read_limited

MARK = ".withdrawing-"
"""Beginning of the name of an empty file that says who is being removed."""
LARGEST_TABLE = 2**26


@dataclass(frozen=True)
class Withdrawn:
    """What was removed.

    Attributes
    ----------
    participant : str
        Who was.
    removed : tuple of str
        Files and folders, relative to the data.
    """

    participant: str
    removed: tuple[str, ...]

    def text(self) -> str:
        """Return it, a line for each thing removed."""
        head = f"participant {self.participant} is removed:"
        last = "Backups, and tables written elsewhere with -o, are not: no program knows where they are."
        return "\n".join([head, *(f"  {name}" for name in self.removed), last])


def withdraw(data: Path, participant: str) -> Withdrawn:
    """Remove a participant's journals, forms and tables.

    Raises
    ------
    StimgenError
        There is no such participant, or a session of theirs is going on; nothing is removed then. Or
        something cannot be removed: the same again goes on with the rest.
    """
    found = known_in(data)
    if participant not in found:
        what = "there is no such folder" if not data.is_dir() else f"there is no participant {participant!r}"
        raise StimgenError(what, where=data, given=participant, allowed=sorted(found))
    for journal in _of(participant, data / JOURNALS, ".jsonl"):
        Journal.refuse_in_use(journal)
    try:
        (data / f"{MARK}{participant}").touch()
        sync_folder(data)
        return _removed(data, participant)
    except OSError as error:
        hint = "the same again goes on with the rest"
        raise StimgenError(f"cannot be changed: {error.strerror}", where=data, hint=hint) from None


def finish_withdrawals(data: Path) -> None:
    """Go on with removals that were interrupted; what is left of a participant appears in nothing new.

    Raises
    ------
    StimgenError
        Something cannot be removed.
    """
    for participant in sorted(_marked(data)):
        try:
            _removed(data, participant)
        except OSError as error:
            message = f"a participant's removal cannot be finished: {error.strerror}"
            raise StimgenError(message, where=data) from None


def known_in(data: Path) -> set[str]:
    """Return the labels of all participants of whom something is left."""
    names = [path.name for part in (JOURNALS, FORMS, CSV, BIDS) for path in (data / part).glob("sub-*")]
    labels = {match[1] for name in names if (match := re.match(r"sub-([A-Za-z0-9]+)(_|$)", name))}
    return labels | _marked(data)


def _marked(data: Path) -> set[str]:
    """Return the labels of those whose removal was begun."""
    labels = {mark.name.removeprefix(MARK) for mark in data.glob(f"{MARK}*")}
    # Nothing but a label: a pattern would be everybody's.
    return {label for label in labels if re.fullmatch(r"[A-Za-z0-9]+", label)}


def _removed(data: Path, participant: str) -> Withdrawn:
    """Remove everything; what is derived first, so that nothing is derived from what is gone."""
    removed = []
    if _row_removed(data / BIDS / PARTICIPANTS, f"sub-{participant}"):
        removed.append(f"{BIDS}/{PARTICIPANTS}: a row")
    for path in _all_of(data, participant):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        sync_folder(path.parent)
        if not path.name.startswith(TEMPORARY):
            removed.append(path.relative_to(data).as_posix())
    (data / f"{MARK}{participant}").unlink()
    sync_folder(data)
    return Withdrawn(participant, tuple(removed))


def _all_of(data: Path, participant: str) -> Iterator[Path]:
    # What an interruption left of tables or forms may tell of anybody.
    yield from sorted(data.rglob(f"{TEMPORARY}*"))
    yield from (folder for folder in [data / BIDS / f"sub-{participant}"] if folder.exists())
    yield from _of(participant, data / CSV, ".csv")
    yield from _of(participant, data / FORMS, ".json")
    yield from _of(participant, data / JOURNALS, ".jsonl")


def _of(participant: str, folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"sub-{participant}_*{suffix}"))


def _row_removed(table: Path, person: str) -> bool:
    """Remove a participant's row; return whether there was one."""
    if not table.is_file():
        return False
    lines = read_limited(table, LARGEST_TABLE).splitlines(keepends=True)
    kept = [line for line in lines if line.split(b"\t")[0].strip() != person.encode()]
    if len(kept) < len(lines):
        with replacing(table) as stream:
            stream.write(b"".join(kept))
    return len(kept) < len(lines)
