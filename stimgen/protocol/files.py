"""Finds the image files that protocols name, and keeps them inside the allowed folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePath

from stimgen.images.read import SKIMAGE_PREFIX, find_skimage_file
from stimgen.images.readers import list_data_endings, list_endings
from stimgen.protocol.patterns import ANY_FOLDERS, compose_name, has_wildcard, list_entries, match_files
from stimgen.reading.errors import StimgenError

NAMED = 3  # of the files that a pattern matches and that are no pictures


@dataclass(frozen=True)
class FoundPath:
    """Represents a file that a ``file`` entry stands for."""

    name: str
    """As it is recorded: relative to the protocol, absolute, or ``skimage:NAME``."""
    file: Path
    values: dict[str, str] = field(default_factory=dict)
    """Text of every placeholder of the pattern."""


def find_files(text: str, folder: Path, root: Path | None) -> list[FoundPath]:
    """Return the files that a ``file`` entry stands for, in the order of their names.

    Raises `StimgenError` if nothing is there, or if a file lies outside of both `folder`, the protocol's, and
    `root`, also by way of a symbolic link.
    """
    if text.startswith(SKIMAGE_PREFIX):
        return [FoundPath(text, find_skimage_file(text.removeprefix(SKIMAGE_PREFIX)))]
    if not is_pattern(text, folder):
        return [FoundPath(text, _find_written(folder / text, folder, root))]
    pattern = _SplitPattern.parse(text)
    resolve_inside(folder / pattern.start, folder, root)  # before anything is listed there
    matches = match_files(folder / pattern.start, pattern.parts)
    pictures = [match for match in matches if is_picture(match.file, text)]
    if not pictures:
        raise _explain_nothing(text, folder, pattern)
    return [
        FoundPath(pattern.name(match.file, folder), resolve_inside(match.file, folder, root), match.values)
        for match in pictures
    ]


def find_file(what: str, text: str, folder: Path, root: Path | None) -> Path:
    """Return the only file that an entry, called `what` in errors, stands for; raises as `find_files`."""
    found = find_files(text, folder, root)
    if len(found) > 1:
        raise StimgenError(f"{what} must be one file, not a pattern for several")
    return found[0].file


def list_skipped(text: str, folder: Path) -> list[str]:
    """Return the names of the files that a pattern matches, but which are no pictures by their ending."""
    if text.startswith(SKIMAGE_PREFIX) or not is_pattern(text, folder):
        return []
    pattern = _SplitPattern.parse(text)
    matches = match_files(folder / pattern.start, pattern.parts)
    return [pattern.name(match.file, folder) for match in matches if not is_picture(match.file, text)]


def is_pattern(text: str, folder: Path) -> bool:
    """Return whether a ``file`` entry stands for several files; a file may have brackets in its name."""
    try:
        return has_wildcard(text) and not (folder / text).is_file()
    except (OSError, ValueError):
        return True


def is_picture(file: Path, pattern: str = "") -> bool:
    """Return whether a file is a picture by its ending; files of arrays are if the pattern names theirs."""
    ending = file.suffix.lower()
    named = ending in list_data_endings() and pattern.lower().endswith(ending)
    return named or ending in list_endings()


@dataclass(frozen=True)
class _SplitPattern:
    """Represents a pattern: the folder before its first wildcard, and the parts from there on."""

    start: Path
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> _SplitPattern:
        parts = PurePath(text).parts
        start = Path(*takewhile(lambda part: not has_wildcard(part), parts))
        pattern = parts[len(start.parts) :]
        if ".." in pattern:
            raise StimgenError(f"the pattern {text!r} must not contain .. after its first wildcard")
        if any(ANY_FOLDERS in part and part != ANY_FOLDERS for part in pattern):
            raise StimgenError(f"the pattern {text!r} cannot be used: ** stands alone, as in **/*.png")
        return cls(start, pattern)

    def name(self, file: Path, folder: Path) -> str:
        """Return the recorded name of a file that was found below `folder`."""
        return (self.start / file.relative_to(folder / self.start)).as_posix()


def _explain_nothing(text: str, folder: Path, pattern: _SplitPattern) -> StimgenError:
    """Return the error about a pattern that matches no picture, with what is there instead."""
    place = folder / pattern.start
    message = f"no image file matches {text!r} in {folder}"
    if not place.is_dir():
        return _explain_missing(place, "folder")
    pictures = [entry.name for entry in list_entries(place) if _is_alike(entry, "image file")]
    if pictures:
        return StimgenError(message, given=pattern.parts[-1], allowed=pictures)
    below = [entry.name for entry in list_entries(place) if _is_alike(entry, "folder")]
    inside = sorted(name for name in below if any(map(is_picture, list_entries(place / name))))
    hint = f"there are pictures in {', '.join(inside[:NAMED])}: **/* goes into folders" if inside else None
    return StimgenError(message, hint=hint)


def _explain_missing(path: Path, what: str) -> StimgenError:
    """Return the error about a missing file or folder, with the nearest name among those beside it."""
    names = [entry.name for entry in list_entries(path.parent) if _is_alike(entry, what)]
    return StimgenError(f"no such {what}", where=path, given=path.name, allowed=names)


def _is_alike(entry: Path, what: str) -> bool:
    visible = not entry.name.startswith(".")
    return visible and (entry.is_dir() if what == "folder" else is_picture(entry) and entry.is_file())


def _find_written(path: Path, folder: Path, root: Path | None) -> Path:
    """Return the file at a path, also if the disk has its name in another Unicode normalisation.

    Raises `StimgenError`, with the nearest name, if there is none but other pictures are beside it.
    """
    file = resolve_inside(path, folder, root)
    try:
        if file.exists():
            return file
    except OSError:  # for example a name that is too long, which reading it tells
        return file
    name = compose_name(file.name)
    for entry in list_entries(file.parent):
        if compose_name(entry.name) == name:
            return resolve_inside(entry, folder, root)
    error = _explain_missing(file, "image file")
    if error.allowed:
        raise error
    return file


def check_folder(folder: Path) -> None:
    """Raise `StimgenError`, with the nearest name beside it, if a path is not that of a folder."""
    if folder.is_file():
        raise StimgenError("is a file, not a folder", where=folder)
    if not folder.is_dir():
        raise _explain_missing(folder, "folder")


def list_pictures(folder: Path, *, below: bool = True) -> Iterator[Path]:
    """Yield the pictures in a folder by their ending, without hidden ones; also in all folders `below` it."""
    for match in match_files(folder, (ANY_FOLDERS, "*") if below else ("*",)):
        if is_picture(match.file):
            yield match.file


def list_other_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in all folders below it that are no pictures by their ending."""
    for match in match_files(folder, (ANY_FOLDERS, "*")):
        if not is_picture(match.file):
            yield match.file


def resolve_inside(file: Path, folder: Path, root: Path | None) -> Path:
    """Return the path of a file without links; raise `StimgenError` outside of both `folder` and `root`."""
    try:
        resolved = file.resolve()
    except (OSError, RuntimeError, ValueError):
        raise StimgenError("the path of this source cannot be followed") from None
    allowed = [place.resolve() for place in (folder, root) if place is not None]
    if not any(resolved.is_relative_to(place) for place in allowed):
        raise StimgenError(
            f"the source lies outside of {allowed[0]}",
            hint="sources stay in the protocol's folder; allow another with --root FOLDER",
        )
    return resolved
