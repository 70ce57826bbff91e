"""Deletes all data of one participant, completely even after an interruption."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.journal.data_folder import BIDS, CSV, FORMS, JOURNALS, PSYCH_DS
from stimgen.experiment.journal.journal import Journal
from stimgen.export.journals.bids import PARTICIPANTS
from stimgen.reading.atomic import TEMPORARY, sync_folder, write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import read_limited

MARKER_PREFIX = ".withdrawing-"
"""Prefix of an empty file whose name says which participant is being deleted."""
MAX_TABLE_BYTES = 2**26


@dataclass(frozen=True)
class Withdrawal:
    """Lists the deleted files and folders of a participant, relative to the folder of the data."""

    participant: str
    removed: tuple[str, ...]


def withdraw_participant(data: Path, participant: str) -> Withdrawal:
    """Delete a participant's journals, forms and tables.

    Raises
    ------
    StimgenError
        The participant does not exist, or a session of theirs is running; nothing was deleted then. Or
        something cannot be deleted; calling this again resumes.
    """
    found = find_participants(data)
    if participant not in found:
        what = "there is no such folder" if not data.is_dir() else f"there is no participant {participant!r}"
        raise StimgenError(what, where=data, allowed=sorted(found))
    for journal in _find_by_suffix(participant, data / JOURNALS, ".jsonl"):
        Journal.refuse_in_use(journal)
    try:
        (data / f"{MARKER_PREFIX}{participant}").touch()
        sync_folder(data)
        return _remove(data, participant)
    except OSError as error:
        hint = "run the same command again to delete the rest"
        raise StimgenError(f"cannot be changed: {error.strerror}", where=data, hint=hint) from None


def finish_withdrawals(data: Path) -> None:
    """Resume deletions that were interrupted, so that nothing new contains the rest of a participant's data.

    Raises
    ------
    StimgenError
        Something cannot be deleted.
    """
    for participant in sorted(_find_marked(data)):
        try:
            _remove(data, participant)
        except OSError as error:
            message = f"a participant's data cannot be deleted completely: {error.strerror}"
            raise StimgenError(message, where=data) from None


def find_participants(data: Path) -> set[str]:
    """Return the labels of all participants with data in a folder."""
    names = [path.name for part in (JOURNALS, FORMS, CSV, BIDS) for path in (data / part).glob("sub-*")]
    labels = {match[1] for name in names if (match := re.match(r"sub-([A-Za-z0-9]+)(_|$)", name))}
    return labels | _find_marked(data)


def _find_marked(data: Path) -> set[str]:
    """Return the labels of participants whose deletion has begun."""
    labels = {mark.name.removeprefix(MARKER_PREFIX) for mark in data.glob(f"{MARKER_PREFIX}*")}
    # A label such as * would match the files of all participants.
    return {label for label in labels if re.fullmatch(r"[A-Za-z0-9]+", label)}


def _remove(data: Path, participant: str) -> Withdrawal:
    """Delete everything, tables first, so that no table outlives its journal."""
    removed = []
    if _remove_row(data / BIDS / PARTICIPANTS, f"sub-{participant}"):
        removed.append(f"{BIDS}/{PARTICIPANTS}: a row")
    for path in _find_files(data, participant):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        sync_folder(path.parent)
        if not path.name.startswith(TEMPORARY):
            removed.append(path.relative_to(data).as_posix())
    (data / f"{MARKER_PREFIX}{participant}").unlink()
    sync_folder(data)
    return Withdrawal(participant, tuple(removed))


def _find_files(data: Path, participant: str) -> Iterator[Path]:
    # Temporary files of interrupted runs may contain data of any participant.
    yield from sorted(data.rglob(f"{TEMPORARY}*"))
    yield from (folder for folder in [data / BIDS / f"sub-{participant}"] if folder.exists())
    yield from _find_by_suffix(participant, data / CSV, ".csv")
    yield from sorted((data / PSYCH_DS / "data").glob(f"subject-{participant}_*.csv"))
    yield from _find_by_suffix(participant, data / FORMS, ".json")
    yield from _find_by_suffix(participant, data / JOURNALS, ".jsonl")


def _find_by_suffix(participant: str, folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"sub-{participant}_*{suffix}"))


def _remove_row(table: Path, person: str) -> bool:
    """Delete a participant's row; return whether there was one."""
    if not table.is_file():
        return False
    lines = read_limited(table, MAX_TABLE_BYTES).splitlines(keepends=True)
    kept = [line for line in lines if line.split(b"\t")[0].strip() != person.encode()]
    if len(kept) < len(lines):
        with write_atomically(table) as stream:
            stream.write(b"".join(kept))
    return len(kept) < len(lines)
