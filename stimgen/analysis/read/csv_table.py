"""Reads a table of trials of anybody's, whose columns the user names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from stimgen.analysis.columns import TRIAL_COLUMNS
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import read_limited

MAXIMUM_BYTES = 2**30
LONGEST_RESPONSE = 3600.0
LONGEST_MEDIAN = 60.0
SHORTEST_MEDIAN = 0.02
"""Limits of response times in seconds: of one, and of the median of all."""
MOST_VALUES, MOST_NAMES = 20, 8
"""A column with more values is hardly a factor; so many names are told."""
BLANKS = {"", "na", "n/a", "nan", "none", "null", "."}
WORDS = {
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y", "correct", "right", "hit"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n", "incorrect", "wrong", "miss", "error"), 0.0),
}
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
_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
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
    table = _RawTable.read(file)
    header, rows, lines = table.header, table.rows, table.lines
    names = _find_columns(header, settings, file)
    reader = _ColumnReader(
        table, {names[one]: known for one, known in settings.values.items() if one in names}
    )
    columns: dict[str, Any] = {name: reader.texts(names[name]) for name in names if name not in CONVERTERS}
    factors = [name for name in settings.named_factors if name in names]
    for name, convert in CONVERTERS.items():
        if name in names:
            columns[name] = reader.convert(names[name], convert)
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


def _tell_unused(header: list[str], names: dict[str, str], reader: _ColumnReader) -> list[str]:
    """Return a note about columns that could be independent variables, but are not named as such."""
    rest = [name for name in header if name and name not in names.values()]
    found = [name for name in rest if 2 <= len(set(reader.texts(name))) <= MOST_VALUES]
    if not found:
        return []
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    listed = ", ".join(found[:MOST_NAMES])
    return [f"Columns not used: {listed}{more}. If one is an independent variable, name it: --factor NAME."]


@dataclass(frozen=True)
class _RawTable:
    """Holds the texts of a file."""

    file: Path
    header: list[str]
    rows: list[list[str]]
    """Without empty ones."""
    lines: list[int]
    """The line of each row."""
    separator: str

    @classmethod
    def read(cls, file: Path) -> _RawTable:
        stream = io.StringIO(_decode(file), newline="")
        start, first = _skip_preface(stream)
        separator = max("\t;,", key=first.count) if any(one in first for one in "\t;,") else ","
        reader = csv.reader(stream, delimiter=separator)
        try:
            header = [name.strip() for name in next(reader, [])]
            rows, lines, line = [], [], start + reader.line_num + 1
            for row in reader:
                if any(row):
                    rows.append(row)
                    lines.append(line)
                line = start + reader.line_num + 1
        except csv.Error as error:
            raise StimgenError(
                f"not a table: {error}", where=Location(file, start + reader.line_num)
            ) from None
        table = cls(file, header, rows, lines, separator)
        table._check()
        return table

    def _check(self) -> None:
        header = self.header
        if not header:
            raise StimgenError("is empty; the first line must name the columns", where=self.file)
        twice = [name for name in header if name and header.count(name) > 1]
        if twice:
            raise StimgenError(f"the column {twice[0]!r} appears twice", where=Location(self.file, 1))
        for row, at in zip(self.rows, self.lines, strict=True):
            if len(row) != len(header):
                problem = f"has {len(row)} values, but there are {len(header)} columns"
                raise StimgenError(problem, where=Location(self.file, at))


def _skip_preface(stream: io.StringIO) -> tuple[int, str]:
    """Skip comments, and Excel's line about the separator; return their number, and the line of names."""
    skipped = 0
    while True:
        place, line = stream.tell(), stream.readline()
        if not (line.startswith("#") or re.fullmatch(r"sep=.\s*", line)):
            stream.seek(place)
            return skipped, line
        skipped += 1


def _decode(file: Path) -> str:
    raw = read_limited(file, MAXIMUM_BYTES)
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "save it as CSV UTF-8"
        raise StimgenError("not UTF-8 text", where=Location(file, line), hint=hint) from None


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


class _ColumnReader:
    """Converts columns of a file; errors name the line."""

    def __init__(self, table: _RawTable, meanings: dict[str, dict[str, str]]) -> None:
        self._table = table
        self._meanings = meanings
        self._places = {name: i for i, name in enumerate(table.header)}

    def texts(self, column: str) -> list[str]:
        place = self._places[column]
        found = [row[place].strip() for row in self._table.rows]
        meanings = self._meanings.get(column)
        return [meanings.get(text, text) for text in found] if meanings else found

    def convert(self, column: str, convert: Callable[[str], Any]) -> list[Any]:
        known: dict[str, Any] = {}
        found = []
        for i, text in enumerate(self.texts(column)):
            if text not in known:
                try:
                    known[text] = convert(self._to_point(text))
                except ValueError as error:
                    found_error = self.error(column, i, f"{text!r} {error}")
                    found_error.hint = VALUE_HINT if convert in (_to_answer, _to_flag) else None
                    raise found_error from None
            found.append(known[text])
        return found

    def _to_point(self, text: str) -> str:
        """Return a number with a decimal comma as one with a point, where commas separate no columns."""
        is_number = self._table.separator != "," and _COMMA.fullmatch(text) is not None
        return text.replace(",", ".") if is_number else text

    def error(self, column: str, row: int, problem: str) -> StimgenError:
        """Return an error about a value."""
        return StimgenError(f"{column}: {problem}", where=Location(self._table.file, self._table.lines[row]))


def _to_number(text: str) -> float:
    if text.casefold() in BLANKS:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        raise ValueError("is not a number") from None
    if value in (float("inf"), float("-inf")):
        raise ValueError("is not a finite number")
    return value


def _to_answer(text: str) -> float:
    word = text.casefold()
    if word in BLANKS:
        return float("nan")
    if word not in WORDS:
        raise ValueError("is neither 1 nor 0, nor true or false, nor empty for a missed trial")
    return WORDS[word]


def _to_flag(text: str) -> bool:
    return _to_answer(text) == 1.0


def _to_time(text: str) -> float:
    value = _to_number(text)
    if value < 0:
        raise ValueError("is a negative time")
    return value


def _to_text(text: str) -> str:
    return "" if text.casefold() in BLANKS else text


def _to_label(text: str) -> str:
    if not text:
        raise ValueError("is no label of a participant")
    return text


CONVERTERS: dict[str, Callable[[str], Any]] = {
    "participant": _to_label,
    "block": _to_number,
    "trial": _to_number,
    "level": _to_number,
    "confidence": _to_number,
    "practice": _to_flag,
    "correct": _to_answer,
    "response_time": _to_time,
    "response_time_last": _to_time,
    "interrupted": _to_number,
    "dropped": _to_number,
    "response": _to_text,
    "correct_response": _to_text,
    "track": _to_text,
    "catch": _to_text,
    "excluded": _to_text,
}


def _find_observers(reader: _ColumnReader, names: dict[str, str], is_named: bool) -> list[str]:
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
    columns: dict[str, Any], unit: str | None, reader: _ColumnReader, names: dict[str, str]
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
