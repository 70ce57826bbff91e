"""Converts the text of a cell to a value, or raises ValueError that says what the text is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BLANKS = {"", "na", "n/a", "nan", "none", "null", "."}
WORDS = {
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y", "correct", "right", "hit"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n", "incorrect", "wrong", "miss", "error"), 0.0),
}


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
ANSWERS = frozenset(name for name, convert in CONVERTERS.items() if convert in (_to_answer, _to_flag))
"""Columns of words such as yes and no, which a user can explain."""
