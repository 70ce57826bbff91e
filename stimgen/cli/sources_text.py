"""Formats what a look at pictures found for people to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stimgen.cli.text import format_columns
from stimgen.images.picture_look import PictureLook
from stimgen.reading.errors import make_printable
from stimgen.stimulus_set.citing.wording import format_count
from stimgen.workflow.sources import FolderLook

MOST_ROWS, MOST_LINES = 60, 12
HEAD = ("file", "size", "depth", "colours", "profile", "transparent", "frames", "luminance", "contrast")


def format_folder_look(found: FolderLook) -> str:
    """Return the table of pictures, what is worth knowing of them, and the block for a protocol."""
    good = [look for look in found.looks if look.problem is None]
    lines = [f"{found.folder}: {format_count(len(found.looks), 'picture')}{_summarise(good)}", ""]
    lines += format_columns([HEAD, *map(_format_row, good[:MOST_ROWS])]) if good else []
    if len(good) > MOST_ROWS:
        lines.append(f"... and {len(good) - MOST_ROWS} more: --csv FILE lists all")
    lines += _list_findings(found)
    inside = found.folder.resolve().is_relative_to(Path.cwd().resolve())
    where = "in this folder" if inside else f"(to be used with --root {found.folder})"
    return "\n".join([*lines, "", f"For a protocol {where}:", "", found.block])


def _summarise(looks: Sequence[PictureLook]) -> str:
    sizes = Counter(f"{look.width} x {look.height}" for look in looks)
    depths = Counter(str(look.depth) for look in looks)
    parts = []
    if sizes:
        usual, count = sizes.most_common(1)[0]
        parts.append(f"{len(sizes)} sizes, mostly {usual} ({count})" if len(sizes) > 1 else f"{usual} pixels")
        parts.append(", ".join(depths))
    return "".join(f"; {part}" for part in parts)


def _format_row(look: PictureLook) -> tuple[str, ...]:
    return (
        make_printable(look.file).replace("\n", " "),
        f"{look.width} x {look.height}",
        str(look.depth),
        str(look.colour),
        make_printable(look.profile or "-")[:32],
        f"{look.transparent:.0%}" if look.transparent else "-",
        str(look.frames) if look.frames and look.frames > 1 else "-",
        "-" if look.luminance is None else f"{look.luminance:.3f}",
        "-" if look.contrast is None else f"{look.contrast:.3f}",
    )


def _list_findings(found: FolderLook) -> Iterator[str]:
    bad = [f"{look.file}: {look.problem}" for look in found.looks if look.problem]
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
