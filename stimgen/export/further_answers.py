"""Puts the answers to the questions after trials into tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.export.columns import TableColumn
from stimgen.export.sessions import SessionPart

QUESTION = TableColumn(
    "question",
    "Name of a question that followed the trial. In its row, response, key, response_time and missed "
    "are those of the question, and times count from its onset.",
)


def list_asked(parts: tuple[SessionPart, ...]) -> list[str]:
    """Return the names of the questions that were asked after trials, in their order."""
    lines = (line for part in parts for line in part.trials)
    return list(dict.fromkeys(answer.question for line in lines for answer in line.outcome.further))


def question_columns(line: RecordedTrial, asked: list[str]) -> dict[str, Any]:
    """Return the answers after a trial as columns of its row, empty where a question was not asked."""
    given = {answer.question: answer for answer in line.outcome.further}
    found: dict[str, Any] = {}
    for name in asked:
        answer = given.get(name)
        found[f"question_{name}.response"] = answer.answer if answer else None
        found[f"question_{name}.keys"] = answer.key if answer else None
        found[f"question_{name}.rt"] = answer.seconds if answer else None
    return found


def question_rows(line: RecordedTrial) -> Iterator[dict[str, Any]]:
    """Yield a row for every question after a trial; its duration is the time until the answer."""
    for answer in line.outcome.further:
        yield {
            "event": "question",
            "question": answer.question,
            "onset": answer.onset,
            "duration": answer.seconds,
            "response": answer.answer,
            "key": answer.key,
            "response_time": answer.seconds,
            "missed": answer.answer is None,
            "frame_sha256": answer.frame_sha256,
            "interrupted": answer.interrupted,
        }
