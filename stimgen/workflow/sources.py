"""Looks at the pictures of a folder before a protocol is written."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

from stimgen.drawing.picture_sheet import TILE, PictureSheet
from stimgen.images.measures.perceptual_hash import group_alike
from stimgen.images.picture_look import LookResult, PictureLook, look_at_picture
from stimgen.images.prepare import USUAL_SIDE
from stimgen.protocol.files import check_folder, list_other_files, list_pictures
from stimgen.protocol.source_block import SourceBlock
from stimgen.protocol.source_ids import derive_id
from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.text import escape_formula

ALONE = 24  # so few pictures are not worth a second process
DIGITS = 4


@dataclass(frozen=True)
class FolderLook:
    """Holds what a look at the pictures of a folder found."""

    folder: Path
    looks: tuple[PictureLook, ...]
    duplicates: tuple[tuple[str, ...], ...]
    """Groups of files with the same pixels."""
    alike: tuple[tuple[str, ...], ...]
    """Groups of files that look alike, and do not all have the same pixels."""
    small: tuple[str, ...]
    """Files whose shorter side is smaller than was asked for."""
    side: int
    skipped: tuple[str, ...]
    """Other files in the folder."""
    block: str
    """The ``sources`` of a protocol, to paste."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `stimgen sources --json` prints."""
        return {
            "folder": str(self.folder),
            "pictures": [look._asdict() for look in self.looks],
            "duplicates": [list(group) for group in self.duplicates],
            "alike": [list(group) for group in self.alike],
            "too_small": list(self.small),
            "unreadable": [look.file for look in self.looks if look.problem],
            "skipped": list(self.skipped),
            "sources": self.block,
        }


@dataclass(frozen=True)
class LookOptions:
    """Says how to look at pictures."""

    side: int = USUAL_SIDE
    """Size in pixels that a protocol will ask for."""
    sheet: Path | None = None
    """PNG file for a contact sheet of all pictures."""
    table: Path | None = None
    """CSV file for the table."""
    workers: int | None = None


def look_at_folder(
    folder: Path, options: LookOptions, report: Callable[[int, int], None] | None = None
) -> FolderLook:
    """Return what the pictures in a folder, and in all folders below it, are.

    `report` is called after every picture. A picture that cannot be read has its problem in the table; the
    others go on.

    Raises
    ------
    StimgenError
        The folder is missing or contains no pictures, or a file cannot be written.
    """
    files = _list_files(folder)
    names = [_name_file(file) for file in files]
    sheet = PictureSheet(len(files)) if options.sheet is not None else None
    results = []
    for i, result in enumerate(_look_at_all(files, names, options.workers, TILE if sheet else 0)):
        if sheet is not None:
            # As stimuli would be called: the sheet's letters are few.
            sheet.add(i, result.thumbnail, derive_id(files[i].stem))
        results.append(result._replace(thumbnail=b""))
        if report is not None:
            report(i + 1, len(files))
    found = _summarise(folder, results, options.side)
    if sheet is not None and options.sheet is not None:
        _write(options.sheet, sheet.encode())
    if options.table is not None:
        _write(options.table, _format_table(found))
    return found


def _list_files(folder: Path) -> list[Path]:
    check_folder(folder)
    files = list(list_pictures(folder.resolve()))
    if not files:
        others = list(list_other_files(folder))
        what = f"contains {len(others)} files, but no pictures" if others else "contains no files"
        raise StimgenError(what, where=folder)
    return files


def _name_file(file: Path) -> str:
    """Return the path of a file from here, if it lies below; a protocol that is written here can use it."""
    here = Path.cwd().resolve()
    return (file.relative_to(here) if file.is_relative_to(here) else file).as_posix()


def _look_at_all(
    files: Sequence[Path], names: Sequence[str], workers: int | None, thumbnail: int
) -> Iterator[LookResult]:
    look = partial(look_at_picture, thumbnail=thumbnail)
    count = min(workers or os.cpu_count() or 1, len(files))
    if count == 1 or (workers is None and len(files) <= ALONE):
        yield from map(look, files, names)
        return
    # A server that has the imports made once is forked for each worker; Windows has none.
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload(["stimgen.images.picture_look"])
    with ProcessPoolExecutor(count, context) as pool:
        yield from pool.map(look, files, names, chunksize=max(1, min(8, len(files) // (4 * count))))


def _summarise(folder: Path, results: Sequence[LookResult], side: int) -> FolderLook:
    looks = [result.look for result in results]
    groups: dict[str, list[str]] = {}
    for look in looks:
        if look.pixels_sha256 is not None:
            groups.setdefault(look.pixels_sha256, []).append(look.file)
    good = [result for result in results if result.look.pixels_sha256 is not None]
    similar = group_alike([result.hash for result in good], [result.grey for result in good])
    alike = [[good[i].look for i in group] for group in similar]
    small = [look for look in looks if _measure_shorter_side(look) < side]
    return FolderLook(
        folder=folder,
        looks=tuple(looks),
        duplicates=tuple(tuple(group) for group in groups.values() if len(group) > 1),
        alike=tuple(
            tuple(look.file for look in group)
            for group in alike
            if len({look.pixels_sha256 for look in group}) > 1
        ),
        small=tuple(look.file for look in small),
        side=side,
        skipped=tuple(_name_file(file) for file in list_other_files(folder.resolve())),
        block=SourceBlock(looks, side).format(),
    )


def _measure_shorter_side(look: PictureLook) -> float:
    if look.width is None or look.height is None:
        return float("inf")
    return min(look.width, look.height)


def _format_table(found: FolderLook) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PictureLook._fields)
    for look in found.looks:
        writer.writerow([escape_formula(_round(value)) for value in look])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _round(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def _write(file: Path, data: bytes) -> None:
    with write_atomically(file) as stream:
        stream.write(data)
