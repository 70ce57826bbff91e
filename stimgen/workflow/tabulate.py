"""Tables from the journals of an experiment, and from nothing else but the pictures that they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.data_folder import CSV, DataFolder
from stimgen.experiment.journal import begun
from stimgen.export.derived import names_in, rewriting
from stimgen.export.journals import format_names, format_of
from stimgen.export.journals.csv import write_session
from stimgen.export.pictures import Pictures
from stimgen.export.sessions import KeptSession, read_session
from stimgen.reading.errors import StimgenError
from stimgen.workflow.withdraw import finish_withdrawals


@dataclass(frozen=True)
class Tabulated:
    """A folder of tables.

    Attributes
    ----------
    folder : Path
        Where it is.
    sessions, files : int
        How many it holds.
    skipped : tuple of Path
        Journals of sessions that ended before they had begun.
    """

    folder: Path
    sessions: int
    files: int
    skipped: tuple[Path, ...]

    def text(self) -> str:
        """Return it in a line, and one for each journal that was left out."""
        left_out = [f"  left out, because it holds nothing: {file}" for file in self.skipped]
        return "\n".join([f"{self.folder}: sessions {self.sessions}, files {self.files}", *left_out])


def tabulate(
    data: Path, name: str | None = None, target: Path | None = None, stimuli: tuple[Path, ...] = ()
) -> Iterator[Tabulated]:
    """Write the tables of all sessions anew, in one format or in all.

    Parameters
    ----------
    data : Path
        The folder of an experiment's data.
    name : str, optional
        A format; without it, every one in a folder of its own.
    target : Path, optional
        Where; otherwise in `data`, in a folder that is called as the format.
    stimuli : tuple of Path
        Folders of the sets, where they are not where the experiment found them.

    Raises
    ------
    StimgenError
        There is no such format, there are no journals or one is damaged, a picture is not there or is
        another, or the folder holds something else. Tables that were there before are kept then.
    """
    wanted = [name] if name is not None else format_names()
    formats = {one: format_of(one) for one in wanted}
    finish_withdrawals(data)
    files, skipped = journals_of(data)
    places = [Path.cwd(), data, *list(data.resolve().parents)[:2]]
    for one, module in formats.items():
        folder = data / one if target is None else target if name is not None else target / one
        with rewriting(folder, module.OURS) as fresh:
            module.write(_sessions(files), fresh, Pictures(stimuli, places))
            count = len(names_in(fresh))
        yield Tabulated(folder, len(files), count, tuple(skipped))


def tabulate_session(data: Path, journal: Path) -> Path:
    """Write the CSV of one session, beside those that are there; it needs no pictures and no other journal.

    Raises
    ------
    StimgenError
        It cannot be written.
    """
    return write_session(read_session(journal), data / CSV)


def journals_of(data: Path) -> tuple[list[Path], list[Path]]:
    """Return the journals of a folder, and those that hold nothing.

    Raises
    ------
    StimgenError
        There are none.
    """
    files = [found.file for found in DataFolder(data).journals()]
    if not files:
        what = "holds no journals" if data.is_dir() else "there is no such folder"
        raise StimgenError(
            what, where=data, hint="name the folder that stimgen run wrote to, such as data/NAME"
        )
    return [file for file in files if begun(file)], [file for file in files if not begun(file)]


def _sessions(files: list[Path]) -> Iterator[KeptSession]:
    """Yield sessions one by one: those of a large study are too large to hold."""
    for file in files:
        yield read_session(file)
