"""Reads trials from BIDS datasets that `stimgen tabulate` wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stimgen.analysis.columns import TRIAL_COLUMNS
from stimgen.analysis.exclusions import WHOLE
from stimgen.analysis.read.journal_rows import CONFIDENCE
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.export.event_columns import SOURCE_PREFIX
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import read_limited
from stimgen.sensitivity import DecisionModel

MAXIMUM_BYTES = 2**30
_NAME = re.compile(r"sub-(?P<participant>[A-Za-z0-9]+)_ses-(?P<session>[A-Za-z0-9]+)_task-")
NEEDED = ("event", "trial_index", "response", "correct")
MISSING = "n/a"
UNKNOWN_TASK = "A BIDS dataset of an older version does not tell the task: for d', name it with --task."


def read_bids(folder: Path) -> TrialTable:
    """Return the trials of all sessions of a BIDS dataset: its rows of responses.

    Raises
    ------
    StimgenError
        There are no events, a file lacks a column, or a value is out of range, with its line.
    """
    files = sorted(folder.glob("sub-*/ses-*/beh/*_events.tsv"))
    if not files:
        raise StimgenError("has no events: sub-*/ses-*/beh/*_events.tsv", where=folder)
    people = _read_participants(folder)
    rows: list[dict[str, Any]] = []
    for file in files:
        rows += _read_events(file, people)
    sourced = dict.fromkeys(name for row in rows for name in row.pop("sourced"))
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    factors = [
        name
        for name in columns
        if name == "condition" or (name not in _FIXED and name not in BALANCED and name not in sourced)
    ]
    for name in NUMBERS_OF_EVENTS:
        columns[name] = [_to_number(row, name) for row in rows]
    for name in ("where", "answers", "decision"):
        columns.pop(name, None)
    frame = complete_frame(columns, [*factors, *sourced])
    numbers = {row["answers"] for row in rows}
    chance = 1 / numbers.pop() if len(numbers) == 1 and 0 not in numbers else None
    model = _find_model(rows)
    is_unknown = model is None and bool((frame["correct_response"] != "").any())
    notes = (UNKNOWN_TASK,) if is_unknown else ()
    ordered = tuple(sorted(factors, key=lambda name: name != "condition"))
    return TrialTable(frame, ordered, model, model.chance if model else chance, notes=notes)


def _find_model(rows: list[dict[str, Any]]) -> DecisionModel | None:
    """Return the decision model that all sidecars state; None where one does not."""
    stated: dict[str, Location] = {}
    for row in rows:
        stated.setdefault(json.dumps(row["decision"], sort_keys=True), row["where"])
    if len(stated) > 1:
        raise StimgenError(
            "the runs of the dataset have different tasks: " + " and ".join(sorted(stated)),
            hint="analyze the experiments one at a time, each in a folder of its own",
        )
    known = next((row["decision"] for row in rows), None)
    if not isinstance(known, dict):
        return None
    try:
        return DecisionModel(**known)
    except TypeError:
        raise StimgenError("StimgenDecision in its sidecar has other keys", where=rows[0]["where"]) from None


NUMBERS_OF_EVENTS = (
    "block",
    "level",
    "response_time",
    "response_time_last",
    "interrupted",
    "confidence",
    "trial",
)
BALANCED = ("location", "a", "x", "pair", "first", "shown")
_FIXED = {*TRIAL_COLUMNS, "where", "answers", "decision"}


def _read_events(file: Path, people: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    match = _NAME.match(file.name)
    if match is None:
        raise StimgenError("its name does not begin with sub-LABEL_ses-LABEL_task-", where=file)
    sidecar = file.with_suffix(".json")
    about = json.loads(read_limited(sidecar, MAXIMUM_BYTES)) if sidecar.is_file() else {}
    person = people.get(match["participant"], {})
    common = {
        **match.groupdict(),
        "experiment": about.get("TaskName", ""),
        "group": person.get("group", ""),
        "file": file.name,
        "answers": len(about.get("StimgenKeys") or ()),
        "decision": about.get("StimgenDecision", MISSING),
    }
    events = list(_read_rows(file))
    ratings = {
        values["trial_index"]: values["response"]
        for _, values in events
        if values["event"] == "question" and values.get("question") == CONFIDENCE
    }
    found = []
    for number, values in events:
        if values["event"] == "response":
            row = _describe(values, Location(file, number)) | common | {"row": number}
            row["confidence"] = ratings.get(values["trial_index"], "")
            is_main = not row["practice"] and not row["catch"]
            if person.get("excluded") and is_main and not row["excluded"]:
                row["excluded"] = WHOLE + person["excluded"]
            found.append(row)
    return found


def _read_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number and the values of each line, empty where they are n/a."""
    text = read_limited(file, MAXIMUM_BYTES).decode("utf-8-sig")
    header, *lines = (line.split("\t") for line in text.splitlines())
    for name in NEEDED:
        if name not in header:
            raise StimgenError(f"has no column {name!r}", where=Location(file, 1), allowed=header)
    for number, line in enumerate(lines, 2):
        if len(line) != len(header):
            problem = f"has {len(line)} values, but there are {len(header)} columns"
            raise StimgenError(problem, where=Location(file, number))
        yield (
            number,
            {name: "" if value == MISSING else value for name, value in zip(header, line, strict=True)},
        )


def _describe(values: dict[str, str], where: Location) -> dict[str, Any]:
    if values["correct"] not in ("true", "false", ""):
        raise StimgenError(f"correct: {values['correct']!r} is neither true nor false nor n/a", where=where)
    is_missed = not values["response"]
    factors = {name[7:]: value for name, value in values.items() if name.startswith("factor_")}
    length = len(SOURCE_PREFIX)
    sourced = {name[length:]: value for name, value in values.items() if name.startswith(SOURCE_PREFIX)}
    return {
        "condition": values.get("trial_type", ""),
        **sourced,
        **factors,
        "sourced": tuple(name for name in sourced if name not in factors),
        "observer": values.get("observer") or "person",
        "block": values.get("block", ""),
        "trial": values["trial_index"],
        "practice": values.get("practice") == "true",
        "catch": values.get("catch", ""),
        "source": values.get("source", ""),
        "level": values.get("level", ""),
        "track": values.get("track", ""),
        "response": values["response"],
        "correct_response": values.get("correct_response", ""),
        "correct": None if is_missed or not values["correct"] else float(values["correct"] == "true"),
        "missed": is_missed,
        "response_time": values.get("response_time", ""),
        "response_time_last": values.get("response_time_last", ""),
        "interrupted": values.get("interrupted", ""),
        "excluded": values.get("excluded", ""),
        "where": where,
    }


def _to_number(row: dict[str, Any], name: str) -> float | None:
    text = row[name]
    if text in ("", None):
        return None
    try:
        return float(text)
    except ValueError:
        raise StimgenError(f"{name}: {text!r} is not a number", where=row["where"]) from None


def _read_participants(folder: Path) -> dict[str, dict[str, str]]:
    """Return the columns of participants.tsv by participant, empty where they are n/a."""
    file = folder / "participants.tsv"
    if not file.is_file():
        return {}
    text = read_limited(file, MAXIMUM_BYTES).decode("utf-8-sig")
    header, *lines = (line.split("\t") for line in text.splitlines())
    rows = [dict(zip(header, line, strict=False)) for line in lines]
    return {
        row.get("participant_id", "").removeprefix("sub-"): {
            name: "" if value == MISSING else value for name, value in row.items()
        }
        for row in rows
    }
