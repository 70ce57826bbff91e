"""Formats settings, numbers and lists as words of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from stimgen.reading.text import to_one_line

TIGHT = "\u00a0"  # a space inside one value, which stays together when clauses are compared word by word
LONG_NAMES = {
    "along": "interpolation",
    "deviation": "standard deviation",
    "of": "limits",
    "penalty": "penalty weight",
    "recipe": "version of the recipe",
}


def describe_settings(recipe: Mapping[str, Any], *without: str) -> list[str]:
    """Return every setting in words; those that are empty are left out.

    Examples
    --------
    >>> describe_settings({"name": "noise", "mean": 0.5, "pooling": "average", "mask": None, "grey": False})
    ['name: noise', 'mean = 0.5', 'pooling: average', 'not grey']
    """
    return [
        _describe_setting(LONG_NAMES.get(key, to_one_line(str(key)).replace("_", " ")), found)
        for key, found in recipe.items()
        if key not in without and found is not None and found != []
    ]


def _describe_setting(key: str, found: Any) -> str:
    if isinstance(found, bool):
        return key if found else f"not {key}"
    several = isinstance(found, (list, tuple)) and found
    number = isinstance(found[0] if several else found, (int, float))
    return f"{key} = {format_value(found)}" if number else f"{key}: {format_value(found)}"


def format_value(found: Any) -> str:
    """Return a value of a recipe in words."""
    if isinstance(found, float):
        return f"{found:g}"
    if isinstance(found, Mapping):
        name = [to_one_line(str(found["name"]))] if "name" in found else []
        inside = "; ".join(describe_settings(found, "name"))
        return " ".join([*name, f"({inside})"] if inside else name)
    if isinstance(found, (list, tuple)):
        return f",{TIGHT}".join(format_value(one) for one in found)
    return to_one_line(str(found))


def format_brackets(*parts: str) -> str:
    """Return what is known in brackets, with a space before; nothing where nothing is."""
    known = [part.rstrip(".") for part in parts if part]
    return f" ({'; '.join(known)})" if known else ""


def join_words(words: Iterable[str]) -> str:
    """Return words as a sentence lists them: ``a, b and c``."""
    found = list(words)
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)


def format_ranges(found: Iterable[int]) -> str:
    """Return whole numbers in order, neighbours as a range.

    Examples
    --------
    >>> format_ranges([1, 2, 3, 7])
    '1\u20133, 7'
    """
    runs = [list(run) for _, run in groupby(enumerate(sorted(found)), lambda pair: pair[1] - pair[0])]
    pairs = [(run[0][1], run[-1][1]) for run in runs]
    return ", ".join(str(first) if first == last else f"{first}\u2013{last}" for first, last in pairs)


def format_count(count: int, what: str, plural: str = "") -> str:
    """Return a number of things: ``1 stimulus``, ``2 stimuli``."""
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


def format_sentence(text: str) -> str:
    """Return a text with a capital and a full stop, unless it ends as a sentence already."""
    capital = text[:1].upper() + text[1:]
    return capital if not text or text.endswith((".", "?", "!")) else f"{capital}."
