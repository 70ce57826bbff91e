"""Writes a set as BrainIO, the data format of Brain-Score, packages stimuli."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from typing_extensions import override

from stimgen.export.archive import EARLIEST
from stimgen.export.sets.base import Exporter
from stimgen.export.sets.columns import list_set_columns
from stimgen.export.sets.contents import SetContents
from stimgen.reading.text import escape_formula, to_one_line

TABLE, ARCHIVE = "stimulus_set.csv", "stimulus_set.zip"
ID, FILE = "stimulus_id", "filename"
# The table's names for these, which the two columns above replace.
REPLACED = ("id", "file")


class Brainscore(Exporter):
    """Writes stimulus_set.csv and stimulus_set.zip, from which BrainIO and Brain-Score read stimuli."""

    name: Literal["brainscore"] = "brainscore"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        target.mkdir()
        known = list_set_columns(contents.factors)
        columns = [column.name for column in known if column.name not in REPLACED]
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow([ID, FILE, *columns])
        with ZipFile(target / ARCHIVE, "x", ZIP_STORED) as archive:
            for row in contents.rows():
                name = f"{row['id']}.png"
                # Without folders, as BrainIO has it, and without times.
                archive.writestr(ZipInfo(name, EARLIEST), contents.read(row["file"], row["sha256"]))
                writer.writerow([row["id"], name, *(_to_cell(row[key]) for key in columns)])
        (target / TABLE).write_bytes(table.getvalue().encode())


def _to_cell(value: object) -> object:
    return escape_formula(to_one_line(value)) if isinstance(value, str) else value
