"""Writes tables of an experiment's data from its journals and the pictures that they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from stimgen.experiment.journal.data_folder import BIDS, CSV, DataFolder
from stimgen.experiment.journal.exclusions import read_exclusion_rules
from stimgen.experiment.journal.form import read_form
from stimgen.experiment.journal.journal import has_header, read_header
from stimgen.experiment.schema.session_flow import FormField
from stimgen.export.csv_style import CsvStyle
from stimgen.export.derived import check_holds_only_tables, list_file_names
from stimgen.export.exclusions import ExclusionReport
from stimgen.export.journals import load_journal_format
from stimgen.export.sessions import JournalSession, read_session
from stimgen.export.shown_pictures import ShownPictures
from stimgen.reading.atomic import replace_folder
from stimgen.reading.errors import StimgenError
from stimgen.workflow.withdraw import finish_withdrawals

USUAL_FORMATS = (BIDS, CSV)
"""What is written unless one format is asked for."""


@dataclass(frozen=True)
class TableFolder:
    """Describes a folder of tables; `skipped` lists journals of sessions that never began."""

    folder: Path
    sessions: int
    files: int
    skipped: tuple[Path, ...]


@dataclass(frozen=True)
class TableOptions:
    """Says which tables to write; the attributes are the options of `stimgen tabulate`."""

    name: str | None = None
    target: Path | None = None
    stimuli: tuple[Path, ...] = ()
    form_fields: tuple[str, ...] = ()
    style: CsvStyle = field(default_factory=CsvStyle)

    def folder(self, data: Path, name: str) -> Path:
        """Return the folder of a format's tables."""
        if self.target is None:
            return data / name
        return self.target / name if self.name is None else self.target


def write_tables(data: Path, options: TableOptions | None = None) -> Iterator[TableFolder]:
    """Write the tables of all sessions, in one format or in the usual ones, replacing earlier tables.

    Raises
    ------
    StimgenError
        The format or a field does not exist; journals or pictures are missing or damaged; or the folder
        contains something else. Earlier tables are kept then.
    """
    options = options or TableOptions()
    names = USUAL_FORMATS if options.name is None else (options.name,)
    formats = {name: load_journal_format(name) for name in names}
    for name in options.form_fields:
        if name not in get_args(FormField):
            raise StimgenError(f"forms have no field {name!r}", given=name, allowed=get_args(FormField))
    finish_withdrawals(data)
    files, skipped = find_journals(data)
    report = find_exclusions(data)
    places = [Path.cwd(), data, *list(data.resolve().parents)[:2]]
    for name, module in formats.items():
        folder = options.folder(data, name)
        check_holds_only_tables(folder, module.OURS)
        with replace_folder(folder) as fresh:
            module.write(
                _read_sessions(data, files, options.form_fields, report),
                fresh,
                ShownPictures(options.stimuli, places),
                options.style,
            )
            count = len(list_file_names(fresh))
        yield TableFolder(folder, len(files), count, tuple(skipped))


def find_journals(data: Path) -> tuple[list[Path], list[Path]]:
    """Return the journals of sessions that had begun, and those of the others.

    Raises
    ------
    StimgenError
        The folder contains no journals.
    """
    files = [found.file for found in DataFolder(data).journals()]
    if not files:
        what = "contains no journals" if data.is_dir() else "there is no such folder"
        raise StimgenError(
            what, where=data, hint="name the folder that stimgen run wrote to, for example data/NAME"
        )
    whole = [file for file in files if has_header(file)]
    return whole, [file for file in files if file not in whole]


def find_exclusions(data: Path) -> ExclusionReport:
    """Return what the exclusion rules of the experiments in a folder of data exclude.

    Raises
    ------
    StimgenError
        The folder contains no journals, or one is damaged.
    """
    report = ExclusionReport()
    for file in find_journals(data)[0]:
        header = read_header(file)
        if header is not None and read_exclusion_rules(header, file) is not None:
            report.add(read_session(file))
    return report


def _read_sessions(
    data: Path, files: list[Path], fields: tuple[str, ...], report: ExclusionReport
) -> Iterator[JournalSession]:
    """Yield sessions one by one, because all sessions of a large study may not fit into memory."""
    folder = DataFolder(data)
    for file in files:
        session = read_session(file)
        answers = read_form(folder.form_file(session.participant)) if fields else {}
        yield replace(
            session,
            form_answers={field: answers.get(field, "") for field in fields},
            participant_exclusion=report.find_reason(session),
        )
