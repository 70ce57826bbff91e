"""Reads tables of trials from other programs; the user says what their columns mean."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import Any

from stimgen.analysis.columns import TRIAL_COLUMNS
from stimgen.analysis.read.cell_values import ANSWERS, CONVERTERS
from stimgen.analysis.read.raw_table import ColumnReader, RawTable
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.reading.errors import Location, StimgenError

LONGEST_RESPONSE = 3600.0
LONGEST_MEDIAN = 60.0
SHORTEST_MEDIAN = 0.02
"""Limits of response times in seconds: of one, and of the median of all."""
MOST_VALUES, MOST_NAMES = 20, 8
"""A column with more values is hardly a factor; so many names are told."""
ALIASES = {
    "participant": ("participant_id", "subject", "subject_id", "subj", "sub", "participantid", "observer"),
    "session": ("session_id", "ses"),
    "experiment": ("expname",),
    "condition": ("trial_type",),
    "trial": ("trial_index", "trial_number", "trials.thisn"),
    "correct": ("key_resp.corr", "accuracy", "is_correct", "iscorrect"),
    "response": ("key_resp.keys", "answer"),
    "response_time": ("key_resp.rt", "rt", "reaction_time", "responsetime"),
    "correct_response": ("correct_answer", "corrans"),
}
"""Names that other programs give to columns, in lower case; they are used where ours is missing."""
VALUE_HINT = "say what it means: --value COLUMN:VALUE=1, with our name of the column"
PRACTICE_NUMBER = "practice.thisN"
"""PsychoPy's number of a practice trial, which our own CSV files have."""
OBSERVERS = {"person": "person", "psychopy": "person", "simulated": "simulated", "model": "model"}


def read_csv(file: Path, settings: AnalysisSettings) -> TrialTable:
    """Return the trials of a CSV or TSV file.

    Columns are separated by commas, semicolons or tabs; the first line names them. A trial without an answer
    has nothing, or n/a, as ``correct`` or ``response``.

    Raises
    ------
    StimgenError
        The file cannot be read; a column is missing, or was named but does not exist; or a value is out of
        range, with its line.
    """
    table = RawTable.read(file)
    header, rows, lines = table.header, table.rows, table.lines
    names = _find_columns(header, settings, file)
    reader = ColumnReader(
        table, {names[one]: known for one, known in settings.values.items() if one in names}
    )
    columns: dict[str, Any] = {name: reader.texts(names[name]) for name in names if name not in CONVERTERS}
    factors = [name for name in settings.named_factors if name in names]
    for name, convert in CONVERTERS.items():
        if name in names:
            hint = VALUE_HINT if name in ANSWERS else None
            columns[name] = reader.convert(names[name], convert, hint)
    notes = _scale_response_times(columns, settings.response_time_unit, reader, names)
    _complete_answers(columns)
    columns.setdefault("session", ["1"] * len(rows))
    if "practice" not in names and PRACTICE_NUMBER in header:
        columns["practice"] = [bool(one) for one in reader.texts(PRACTICE_NUMBER)]
    is_named = "observer" in settings.columns
    columns["observer"] = _find_observers(reader, names, is_named) or ["person"] * len(rows)
    columns["file"], columns["row"] = [file.name] * len(rows), lines
    frame = complete_frame(columns, factors)
    if "trial" not in names:
        frame["trial"] = frame.groupby(["participant", "session"]).cumcount() + 1.0
    notes += [
        f"The column {names[one]!r} is taken for {one}."
        for one in names
        if one not in settings.columns and names[one] != one
    ]
    notes += _tell_unused(header, names, reader)
    every = (["condition"] if "condition" in names else []) + [one for one in factors if one != "condition"]
    return TrialTable(frame, tuple(every), notes=tuple(notes))


def _tell_unused(header: list[str], names: dict[str, str], reader: ColumnReader) -> list[str]:
    """Return a note about columns that could be independent variables, but are not named as such."""
    rest = [name for name in header if name and name not in names.values()]
    found = [name for name in rest if 2 <= len(set(reader.texts(name))) <= MOST_VALUES]
    if not found:
        return []
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    listed = ", ".join(found[:MOST_NAMES])
    return [f"Columns not used: {listed}{more}. If one is an independent variable, name it: --factor NAME."]


def _find_columns(header: list[str], settings: AnalysisSettings, file: Path) -> dict[str, str]:
    """Return the file's column for each of ours that it has."""
    found: dict[str, str] = {}
    named = {**{name: name for name in settings.factors}, **settings.columns}
    for ours, theirs in named.items():
        if theirs not in header:
            raise StimgenError(
                f"there is no column {theirs!r}, which is to be {ours}",
                where=Location(file, 1),
                given=theirs,
                allowed=header,
            )
        found[ours] = theirs
    lower = {re.sub(r"[ -]+", "_", name.casefold()): name for name in reversed(header)}
    for ours in TRIAL_COLUMNS:
        if ours in found or ours in ("file", "row", "missed"):
            continue
        for name in (ours, *ALIASES.get(ours, ())):
            if name in lower and lower[name] not in found.values():
                found[ours] = lower[name]
                break
    missing = next((one for one in ("participant",) if one not in found), None)
    if missing is None and "correct" not in found and not {"response", "correct_response"} <= set(found):
        missing = "correct"
    if missing is not None:
        raise StimgenError(
            f"no column is known to be {missing}: {TRIAL_COLUMNS[missing]}",
            where=Location(file, 1),
            allowed=header,
            hint=f"name it: --column {missing}=NAME",
        )
    return found


def _find_observers(reader: ColumnReader, names: dict[str, str], is_named: bool) -> list[str]:
    """Return who answered; nothing where there is no such column, or it means something else."""
    if "observer" not in names:
        return []
    given = reader.texts(names["observer"])
    strange = next((i for i, one in enumerate(given) if one not in OBSERVERS), None)
    if strange is None:
        return [OBSERVERS[one] for one in given]
    if is_named:
        known = ", ".join(OBSERVERS)
        raise reader.error(names["observer"], strange, f"{given[strange]!r} is none of {known}")
    return []


def _scale_response_times(
    columns: dict[str, Any], unit: str | None, reader: ColumnReader, names: dict[str, str]
) -> list[str]:
    """Convert response times to seconds, and return notes; refuse those that cannot be in the unit."""
    if unit == "ms":
        for name in ("response_time", "response_time_last"):
            if name in columns:
                columns[name] = [one / 1000 for one in columns[name]]
    times = columns.get("response_time", ())
    known = [seconds for seconds in times if seconds == seconds]
    if not known:
        return []
    hint = "if the times are in milliseconds, say --response-time-unit ms"
    for i, seconds in enumerate(times):
        if seconds > LONGEST_RESPONSE:
            error = reader.error(names["response_time"], i, f"{seconds:g} s is longer than an hour")
            error.hint = hint if unit != "ms" else None
            raise error
    middle = median(known)
    if unit is None and middle > LONGEST_MEDIAN:
        problem = f"half of the response times are longer than {middle:g} s"
        error = reader.error(
            names["response_time"], next(i for i, t in enumerate(times) if t >= middle), problem
        )
        error.hint = f"{hint}; if they are in seconds, say --response-time-unit s"
        raise error
    if unit == "ms" and middle < SHORTEST_MEDIAN:
        return [f"Half of the response times are shorter than {middle * 1000:g} ms: are they in seconds?"]
    return []


def _complete_answers(columns: dict[str, Any]) -> None:
    """Grade answers where the data do not, and tell which were missed."""
    given = columns.get("response")
    if "correct" not in columns:
        pairs = zip(columns["response"], columns["correct_response"], strict=True)
        columns["correct"] = [float(one == right) if one and right else float("nan") for one, right in pairs]
        columns["missed"] = [not one for one in columns["response"]]
        return
    is_blank = [value != value for value in columns["correct"]]
    columns["missed"] = is_blank
    if given is None:
        return
    columns["missed"] = [not one for one in given] if any(given) else is_blank
    for i, (answer, blank) in enumerate(zip(given, is_blank, strict=True)):
        if not answer and not blank and any(given):
            # Some programs grade a missing answer as wrong.
            columns["correct"][i] = float("nan")
