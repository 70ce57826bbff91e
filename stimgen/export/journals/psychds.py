"""Writes a Psych-DS dataset: one CSV file per session, and a description that lists all variables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from stimgen.export.csv_style import CsvStyle
from stimgen.export.journals.bids import task_label
from stimgen.export.journals.csv import trial_rows
from stimgen.export.sessions import JournalSession
from stimgen.export.shown_pictures import ShownPictures
from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import json_bytes

DESCRIPTION, README = "dataset_description.json", "README.md"
OURS = re.compile(
    r"dataset_description\.json|README\.md|data/subject-[A-Za-z0-9]+_session-[A-Za-z0-9]+_task-\w+_data\.csv"
)
MISSING = "NA"
"""What R reads as missing; Psych-DS asks that missing values have one mark."""
ABOUT = """# Data of {tasks}

A [Psych-DS](https://psych-ds.github.io) dataset, written by stimgen: one file per session in `data`, one
row per trial.
"""


def write(sessions: Iterable[JournalSession], folder: Path, pictures: ShownPictures, style: CsvStyle) -> None:
    """Write a Psych-DS dataset, as `JournalFormat.write` says.

    The format fixes commas and decimal points; files have no byte-order mark.
    """
    del pictures, style
    tasks: set[str] = set()
    names: dict[str, None] = {}
    for session in sessions:
        file = folder / "data" / _name_file(session)
        if file.exists():
            raise StimgenError(
                f"two experiments would both have the file {file.name}: {session.experiment!r} is one",
                hint="keep their data in different folders",
            )
        rows = [
            {name: MISSING if cell is None or cell == "" else cell for name, cell in row.items()}
            for row in trial_rows(session)
        ]
        names |= dict.fromkeys(name for row in rows for name in row)
        tasks.add(session.experiment)
        _write(file, replace(CsvStyle(), byte_order_mark=False).format_rows(rows))
    _write(folder / DESCRIPTION, json_bytes(_describe(sorted(tasks), list(names))))
    _write(folder / README, ABOUT.format(tasks=", ".join(sorted(tasks))).encode("utf-8"))


def _name_file(session: JournalSession) -> str:
    participant = session.participant
    task = task_label(session.experiment)
    return f"subject-{participant.label}_session-{participant.session}_task-{task}_data.csv"


def _describe(tasks: list[str], names: list[str]) -> dict[str, Any]:
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": ", ".join(tasks),
        "description": f"Trials of {', '.join(tasks)}, one row per trial. Missing values are {MISSING}.",
        "variableMeasured": [{"@type": "PropertyValue", "name": name} for name in names],
    }


def _write(file: Path, data: bytes) -> None:
    with write_atomically(file) as stream:
        stream.write(data)
