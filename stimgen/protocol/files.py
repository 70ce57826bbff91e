"""Files that protocols name."""

from __future__ import annotations

from pathlib import Path

from stimgen.images.read import SKIMAGE_PREFIX, find_skimage_file
from stimgen.reading.errors import StimgenError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def find_files(text: str, folder: Path, root: Path | None) -> list[tuple[str, Path]]:
    """Return the recorded names and the files that a ``file`` entry stands for.

    Raises
    ------
    StimgenError
        Nothing there, or something outside of `folder` and `root`.
    """
    if text.startswith(SKIMAGE_PREFIX):
        return [(text, find_skimage_file(text.removeprefix(SKIMAGE_PREFIX)))]
    if not any(letter in text for letter in "*?["):
        return [(text, _resolve_inside(folder / text, folder, root))]
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise StimgenError(f"the pattern {text!r} must stay inside the protocol's folder")
    if any("**" in part and part != "**" for part in Path(text).parts):
        # Some versions of Python refuse this, others take it for a single star.
        raise StimgenError(f"the pattern {text!r} cannot be used: ** stands alone, as in **/*.png")
    matches = [file for file in sorted(folder.glob(text)) if file.suffix.lower() in SUFFIXES]
    if not matches:
        raise StimgenError(f"no image file matches {text!r} in {folder}")
    return [(file.relative_to(folder).as_posix(), _resolve_inside(file, folder, root)) for file in matches]


def find_file(what: str, text: str, folder: Path, root: Path | None) -> Path:
    """Return the only file that an entry, `what` in errors, stands for.

    Raises
    ------
    StimgenError
        As `find_files`, or there are several.
    """
    found = find_files(text, folder, root)
    if len(found) > 1:
        raise StimgenError(f"{what} must be one file, not a pattern for several")
    return found[0][1]


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
