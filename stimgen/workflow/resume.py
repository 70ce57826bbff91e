"""Checks that an interrupted session can be resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stimgen.experiment.frames.page_pictures import PagePicture
from stimgen.experiment.journal.header import HUMAN_OBSERVER, JournalHeader, RecordedPicture
from stimgen.experiment.journal.journal import RecordedSession, has_header, read_journal
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment


def read_interrupted_session(
    prepared: PreparedExperiment, journal: Path, observer: str
) -> RecordedSession | None:
    """Return what was recorded of a session to resume; None if it stopped before it had really begun.

    Raises
    ------
    StimgenError
        There is no such session, it is complete, another kind of observer began it, or its experiment or
        stimulus sets have changed.
    """
    if not journal.is_file():
        raise StimgenError(
            "there is no such session to resume",
            where=journal,
            allowed=[file.name for file in sorted(journal.parent.glob("*.jsonl"))],
        )
    if not has_header(journal):
        return None
    recorded = read_journal(journal)
    if recorded.complete:
        raise StimgenError("this session is complete: nothing is left to resume", where=journal)
    began = recorded.header.observer.name
    if began != observer:
        raise StimgenError(
            f"this session was begun by {_describe(began)}: {_describe(observer)} cannot finish it",
            where=journal,
            hint=f"resume it with --observer {began}, or name another participant",
        )
    if recorded.header.experiment.sha256 != prepared.loaded.sha256:
        raise StimgenError(
            "the experiment was changed after this session began",
            where=prepared.loaded.document.file,
            hint="restore the file (the journal contains its text), or start another session",
        )
    if recorded.header.sets != prepared.pool.sets:
        raise StimgenError(
            "the stimulus sets are not those that this session began with",
            where=journal,
            hint="name the same sets with --stimuli, or start another session",
        )
    return recorded


def record_pictures(pictures: Mapping[str, PagePicture]) -> tuple[RecordedPicture, ...]:
    """Return what the journal keeps of the pictures of the instructions."""
    return tuple(RecordedPicture(file=name, sha256=one.sha256) for name, one in pictures.items())


def refuse_changed_pictures(began: JournalHeader, now: Sequence[RecordedPicture], journal: Path) -> None:
    """Raise `StimgenError` if a picture of the instructions is not the one that a session began with."""
    for was, one in zip(began.pictures, now, strict=False):
        if was != one:
            raise StimgenError(
                f"the picture {one.file} was changed after this session began",
                where=journal,
                hint="restore the file, or start another session",
            )


def _describe(observer: str) -> str:
    return "a person" if observer == HUMAN_OBSERVER else f"the {observer} observer"
