"""Tables from the journals of an experiment, and from nothing else but the pictures that they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import read_form
from stimgen.experiment.journal.journal import has_header
from stimgen.experiment.schema.session_flow import FormField
from stimgen.export.derived import check_holds_only_tables, list_file_names
from stimgen.export.journals import list_journal_formats, load_journal_format
from stimgen.export.sessions import JournalSession, read_session
from stimgen.export.shown_pictures import ShownPictures
from stimgen.reading.atomic import replace_folder
from stimgen.reading.errors import StimgenError
from stimgen.workflow.withdraw import finish_withdrawals


@dataclass(frozen=True)
class TableFolder:
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


@dataclass(frozen=True)
class TableOptions:
    """Which tables are wanted.

    Attributes
    ----------
    name : str or None
        The format; None stands for every one, in a folder of its own.
    target : Path or None
        Where; otherwise in the data's folder, in a folder that is called as the format.
    stimuli : tuple of Path
        Folders of the sets, where they are not where the experiment found them.
    tell : tuple of str
        Fields of participants' forms that are to be in tables; none usually.
    """

    name: str | None = None
    target: Path | None = None
    stimuli: tuple[Path, ...] = ()
    tell: tuple[str, ...] = ()

    def folder(self, data: Path, name: str) -> Path:
        """Return where the tables of a format go."""
        if self.target is None:
            return data / name
        return self.target / name if self.name is None else self.target


def write_tables(data: Path, wanted: TableOptions | None = None) -> Iterator[TableFolder]:
    """Write the tables of all sessions anew, in one format or in all.

    Parameters
    ----------
    data : Path
        The folder of an experiment's data.
    wanted : TableOptions, optional
        Which tables; all, without it.

    Raises
    ------
    StimgenError
        There is no such format or field, there are no journals or one is damaged, a picture is not there or
        is another, or the folder holds something else. Tables that were there before are kept then.
    """
    wanted = wanted or TableOptions()
    names = [wanted.name] if wanted.name is not None else list_journal_formats()
    formats = {name: load_journal_format(name) for name in names}
    for field in wanted.tell:
        if field not in get_args(FormField):
            raise StimgenError(f"no form has the field {field!r}", given=field, allowed=get_args(FormField))
    finish_withdrawals(data)
    files, skipped = find_journals(data)
    places = [Path.cwd(), data, *list(data.resolve().parents)[:2]]
    for name, module in formats.items():
        folder = wanted.folder(data, name)
        check_holds_only_tables(folder, module.OURS)
        with replace_folder(folder) as fresh:
            module.write(
                _read_sessions(data, files, wanted.tell), fresh, ShownPictures(wanted.stimuli, places)
            )
            count = len(list_file_names(fresh))
        yield TableFolder(folder, len(files), count, tuple(skipped))


def find_journals(data: Path) -> tuple[list[Path], list[Path]]:
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
    whole = [file for file in files if has_header(file)]
    return whole, [file for file in files if file not in whole]


def _read_sessions(data: Path, files: list[Path], tell: tuple[str, ...]) -> Iterator[JournalSession]:
    """Yield sessions one by one: those of a large study are too large to hold."""
    folder = DataFolder(data)
    for file in files:
        session = read_session(file)
        answers = read_form(folder.form_file(session.person)) if tell else {}
        yield replace(session, told={field: answers.get(field, "") for field in tell})
