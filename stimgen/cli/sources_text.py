"""Formats the inspection of a folder of pictures for people to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stimgen.cli.text import format_columns
from stimgen.images.picture_inspection import PictureInspection
from stimgen.reading.errors import make_printable
from stimgen.stimulus_set.citing.wording import format_count
from stimgen.workflow.sources import FolderInspection

MOST_ROWS, MOST_LINES = 60, 12
HEAD = ("file", "size", "depth", "colours", "profile", "transparent", "frames", "luminance", "contrast")


def format_inspection(found: FolderInspection) -> str:
    """Return the table of pictures, what is worth knowing of them, and the block for a protocol."""
    good = [picture for picture in found.pictures if picture.problem is None]
    lines = [f"{found.folder}: {format_count(len(found.pictures), 'picture')}{_summarise(good)}", ""]
    lines += format_columns([HEAD, *map(_format_row, good[:MOST_ROWS])]) if good else []
    if len(good) > MOST_ROWS:
        lines.append(f"... and {len(good) - MOST_ROWS} more: --csv FILE lists all")
    lines += _list_findings(found)
    inside = found.folder.resolve().is_relative_to(Path.cwd().resolve())
    where = "in this folder" if inside else f"(to be used with --root {found.folder})"
    return "\n".join([*lines, "", f"For a protocol {where}:", "", found.block])


def _summarise(pictures: Sequence[PictureInspection]) -> str:
    sizes = Counter(f"{picture.width} x {picture.height}" for picture in pictures)
    depths = Counter(str(picture.depth) for picture in pictures)
    parts = []
    if sizes:
        usual, count = sizes.most_common(1)[0]
        parts.append(f"{len(sizes)} sizes, mostly {usual} ({count})" if len(sizes) > 1 else f"{usual} pixels")
        parts.append(", ".join(depths))
    return "".join(f"; {part}" for part in parts)


def _format_row(picture: PictureInspection) -> tuple[str, ...]:
    return (
        make_printable(picture.file).replace("\n", " "),
        f"{picture.width} x {picture.height}",
        str(picture.depth),
        str(picture.colour),
        make_printable(picture.profile or "-")[:32],
        f"{picture.transparent:.0%}" if picture.transparent else "-",
        str(picture.frames) if picture.frames and picture.frames > 1 else "-",
        "-" if picture.luminance is None else f"{picture.luminance:.3f}",
        "-" if picture.contrast is None else f"{picture.contrast:.3f}",
    )


def _list_findings(found: FolderInspection) -> Iterator[str]:
    bad = [f"{picture.file}: {picture.problem}" for picture in found.pictures if picture.problem]
    yield from _format_list("Cannot be used as they are", bad)
    yield from _format_list(f"Smaller than {found.side} x {found.side} pixels", found.small)
    yield from _format_list("The same pixels", [", ".join(group) for group in found.duplicates])
    yield from _format_list("Look alike", [", ".join(group) for group in found.alike])
    yield from _format_list("Other files", found.skipped)


def _format_list(heading: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield ""
        yield f"{heading} ({len(items)}):"
        yield from (f"  {make_printable(item)}" for item in items[:MOST_LINES])
    if len(items) > MOST_LINES:
        yield f"  ... and {len(items) - MOST_LINES} more: --json lists all"
