"""Finds the image files that protocols name, and keeps them inside the allowed folders."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from stimgen.images.read import SKIMAGE_PREFIX, find_skimage_file
from stimgen.reading.errors import StimgenError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def find_files(text: str, folder: Path, root: Path | None) -> list[tuple[str, Path]]:
    """Return the recorded names and the files that a ``file`` entry stands for.

    Raises `StimgenError` if nothing is there, or if a file lies outside of both `folder`, the protocol's, and
    `root`, also by way of a symbolic link.
    """
    if text.startswith(SKIMAGE_PREFIX):
        return [(text, find_skimage_file(text.removeprefix(SKIMAGE_PREFIX)))]
    if not _has_wildcard(text):
        return [(text, _resolve_inside(folder / text, folder, root))]
    parts = Path(text).parts
    start = Path(*takewhile(lambda part: not _has_wildcard(part), parts))
    pattern = parts[len(start.parts) :]
    if ".." in pattern:
        raise StimgenError(f"the pattern {text!r} must not contain .. after its first wildcard")
    if any("**" in part and part != "**" for part in pattern):
        # Some versions of Python refuse this, others take it for a single star.
        raise StimgenError(f"the pattern {text!r} cannot be used: ** stands alone, as in **/*.png")
    _resolve_inside(folder / start, folder, root)  # before anything is listed there
    matches = sorted((folder / start).glob("/".join(pattern)))
    files = [file for file in matches if file.suffix.lower() in SUFFIXES]
    if not files:
        raise StimgenError(f"no image file matches {text!r} in {folder}")
    return [
        ((start / file.relative_to(folder / start)).as_posix(), _resolve_inside(file, folder, root))
        for file in files
    ]


def find_file(what: str, text: str, folder: Path, root: Path | None) -> Path:
    """Return the only file that an entry, called `what` in errors, stands for; raises as `find_files`."""
    found = find_files(text, folder, root)
    if len(found) > 1:
        raise StimgenError(f"{what} must be one file, not a pattern for several")
    return found[0][1]


def _has_wildcard(text: str) -> bool:
    return any(letter in text for letter in "*?[")


def _resolve_inside(file: Path, folder: Path, root: Path | None) -> Path:
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
