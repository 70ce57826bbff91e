"""Inspects the pictures of a folder before a protocol is written."""

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
from stimgen.images.picture_inspection import InspectedPicture, PictureInspection, inspect_picture
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
class FolderInspection:
    """Describes the pictures of a folder."""

    folder: Path
    pictures: tuple[PictureInspection, ...]
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
            "pictures": [picture._asdict() for picture in self.pictures],
            "duplicates": [list(group) for group in self.duplicates],
            "alike": [list(group) for group in self.alike],
            "too_small": list(self.small),
            "unreadable": [picture.file for picture in self.pictures if picture.problem],
            "skipped": list(self.skipped),
            "sources": self.block,
        }


@dataclass(frozen=True)
class InspectionOptions:
    """Says how to look at pictures."""

    side: int = USUAL_SIDE
    """Size in pixels that a protocol will ask for."""
    sheet: Path | None = None
    """PNG file for a contact sheet of all pictures."""
    table: Path | None = None
    """CSV file for the table."""
    workers: int | None = None


def inspect_folder(
    folder: Path, options: InspectionOptions, report: Callable[[int, int], None] | None = None
) -> FolderInspection:
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
    for i, result in enumerate(_inspect_all(files, names, options.workers, TILE if sheet else 0)):
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


def _inspect_all(
    files: Sequence[Path], names: Sequence[str], workers: int | None, thumbnail: int
) -> Iterator[InspectedPicture]:
    inspect = partial(inspect_picture, thumbnail=thumbnail)
    count = min(workers or os.cpu_count() or 1, len(files))
    if count == 1 or (workers is None and len(files) <= ALONE):
        yield from map(inspect, files, names)
        return
    # A server that has the imports made once is forked for each worker; Windows has none.
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload(["stimgen.images.picture_inspection"])
    with ProcessPoolExecutor(count, context) as pool:
        yield from pool.map(inspect, files, names, chunksize=max(1, min(8, len(files) // (4 * count))))


def _summarise(folder: Path, results: Sequence[InspectedPicture], side: int) -> FolderInspection:
    pictures = [result.picture for result in results]
    groups: dict[str, list[str]] = {}
    for picture in pictures:
        if picture.pixels_sha256 is not None:
            groups.setdefault(picture.pixels_sha256, []).append(picture.file)
    good = [result for result in results if result.picture.pixels_sha256 is not None]
    similar = group_alike([result.hash for result in good], [result.grey for result in good])
    alike = [[good[i].picture for i in group] for group in similar]
    small = [picture for picture in pictures if _measure_shorter_side(picture) < side]
    return FolderInspection(
        folder=folder,
        pictures=tuple(pictures),
        duplicates=tuple(tuple(group) for group in groups.values() if len(group) > 1),
        alike=tuple(
            tuple(picture.file for picture in group)
            for group in alike
            if len({picture.pixels_sha256 for picture in group}) > 1
        ),
        small=tuple(picture.file for picture in small),
        side=side,
        skipped=tuple(_name_file(file) for file in list_other_files(folder.resolve())),
        block=SourceBlock(pictures, side).format(),
    )


def _measure_shorter_side(picture: PictureInspection) -> float:
    if picture.width is None or picture.height is None:
        return float("inf")
    return min(picture.width, picture.height)


def _format_table(found: FolderInspection) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PictureInspection._fields)
    for picture in found.pictures:
        writer.writerow([escape_formula(_round(value)) for value in picture])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _round(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def _write(file: Path, data: bytes) -> None:
    with write_atomically(file) as stream:
        stream.write(data)
