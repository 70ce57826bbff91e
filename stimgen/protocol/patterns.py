"""Matches patterns of file names, alike on every system: stars, brackets, placeholders such as {name}."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

WILDCARDS = "*?["
ANY_FOLDERS = "**"
PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
# A placeholder, a bracket, or a single letter.
TOKEN = re.compile(rf"{PLACEHOLDER.pattern}|\[!?\]?[^\]]*\]|.", re.DOTALL)


@dataclass(frozen=True)
class PatternMatch:
    """Represents a file that a pattern matches, and the text that stands for its placeholders."""

    file: Path
    values: dict[str, str] = field(default_factory=dict)
    """Text of every placeholder, in composed letters (NFC)."""


def has_wildcard(text: str) -> bool:
    """Return whether a path is a pattern for several files."""
    return any(letter in text for letter in WILDCARDS) or PLACEHOLDER.search(text) is not None


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Return a path with the text that stands for each placeholder."""
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def match_files(folder: Path, parts: Sequence[str]) -> Iterator[PatternMatch]:
    """Yield the files below `folder` that match the parts of a pattern, in the order of their names.

    A star, a question mark, a bracket or a placeholder stands for letters of one name, and a part ``**`` for
    any number of folders. A placeholder that appears twice stands for the same text. Neither Unicode
    normalisation nor the case of endings such as .jpg makes a difference. Hidden files and folders are left
    out, unless a part of the pattern begins with a dot. So are folders behind symbolic links where ``**``
    stands for them, because they may lead in circles.
    """
    yield from _match_parts(PatternMatch(folder), tuple(parts))


def compose_name(text: str) -> str:
    """Return text in composed letters (NFC); macOS takes them apart in names of files."""
    return unicodedata.normalize("NFC", text)


def list_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder in the order of their names; none if it cannot be read."""
    try:
        return sorted(folder.iterdir(), key=lambda entry: (compose_name(entry.name), entry.name))
    except (OSError, ValueError):
        return []


def _match_parts(found: PatternMatch, parts: tuple[str, ...]) -> Iterator[PatternMatch]:
    part, rest = parts[0], parts[1:]
    if part == ANY_FOLDERS:
        yield from _match_below(found, rest or ("*",))
        return
    expression = _compile_part(compose_name(part), is_file=not rest)
    for entry in list_entries(found.file):
        match = expression.fullmatch(compose_name(entry.name))
        if match is None or (entry.name.startswith(".") and not part.startswith(".")):
            continue
        values = match.groupdict()
        if entry.is_dir() == bool(rest) and all(found.values.get(k, v) == v for k, v in values.items()):
            here = PatternMatch(entry, {**found.values, **values})
            yield from _match_parts(here, rest) if rest else (here,)


def _match_below(found: PatternMatch, rest: tuple[str, ...]) -> Iterator[PatternMatch]:
    """Yield what the rest of a pattern matches in this folder, and in all below it."""
    yield from _match_parts(found, rest)
    for entry in list_entries(found.file):
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _match_below(PatternMatch(entry, found.values), rest)


@cache
def _compile_part(part: str, *, is_file: bool) -> re.Pattern[str]:
    """Return the expression for one part of a path; the ending of a file's name has no case."""
    name, dot, ending = part.rpartition(".") if is_file and "." in part[1:] else (part, "", "")
    seen: set[str] = set()
    text = _translate(name, seen)
    return re.compile(text + (rf"\.(?i:{_translate(ending, seen)})" if dot else ""), re.DOTALL)


def _translate(text: str, seen: set[str]) -> str:
    return "".join(_translate_token(token, seen) for token in TOKEN.finditer(text))


def _translate_token(token: re.Match[str], seen: set[str]) -> str:
    text, placeholder = token[0], token[1]
    if placeholder is not None:
        if placeholder in seen:
            return f"(?P={placeholder})"
        seen.add(placeholder)
        return f"(?P<{placeholder}>.+?)"
    if text in ("*", "?"):
        return ".*" if text == "*" else "."
    if text.startswith("[") and len(text) > 1:
        # The standard library knows what a bracket means; its expression is ``(?s:[...])\Z``.
        whole = fnmatch.translate(text)
        return whole[whole.index(":") + 1 : whole.rindex(")")]
    return re.escape(text)
