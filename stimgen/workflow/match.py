"""Matches the pictures of a folder with each other, and writes them with a report."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stimgen.images.matching.report import MatchingRecord, MatchingReport, measure_picture, measure_ssim
from stimgen.images.matching.run import MatchingResult, SetMatcher
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile, read_image_file
from stimgen.images.readers import list_endings
from stimgen.images.readers.base import SourceReading
from stimgen.images.write import encode_png
from stimgen.protocol.files import check_folder, list_pictures
from stimgen.reading.atomic import create_atomically
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.reading.identity import digest, sha256_bytes
from stimgen.reading.text import escape_formula
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.store import json_bytes
from stimgen.workflow.match_options import MatchOptions
from stimgen.workflow.match_page import PageCollector

REPORT, TABLE, PAGE = "matching.json", "matching.csv", "matching.html"


def ignore_picture(done: int, total: int) -> None:
    """Do nothing; take the place of a function that shows progress."""


def match_folder(
    folder: Path,
    target: Path,
    options: MatchOptions | None = None,
    report: Callable[[int, int], None] = ignore_picture,
) -> MatchingReport:
    """Match all pictures of a folder, and write them with a table, a JSON file and a page into a new folder.

    `report` is called after every picture. Nothing is left if it fails.

    Raises
    ------
    StimgenError
        There are fewer than two pictures, one cannot be read or matched, clipping would undo the matching,
        or the folder `target` holds something.
    """
    options = options or MatchOptions()
    files = _find_pictures(folder)
    pictures = {file.stem: _PictureReader(file, options) for file in files}
    _check_all(list(pictures.values()))
    matcher = SetMatcher(options.settings, pictures, options.bits)
    hashes = tuple(sorted(one.pixels_sha256() for one in pictures.values()))
    records: list[MatchingRecord] = []
    page = PageCollector()
    with create_atomically(target) as fresh:
        fresh.mkdir()
        for result in matcher.run():
            reader = pictures[result.name]
            data = encode_png(result.levels, options.encoding)
            (fresh / f"{result.name}.png").write_bytes(data)
            before = FileHash(file=reader.file.name, sha256=reader.read().sha256)
            saved = FileHash(file=f"{result.name}.png", sha256=sha256_bytes(data))
            records.append(build_matching_record(result, matcher, before, saved))
            page.add(result)
            report(len(records), len(pictures))
        found = MatchingReport(
            settings=options.settings,
            encoding=options.encoding,
            bits=options.bits,
            target=hashes,
            pictures=tuple(records),
        )
        (fresh / REPORT).write_bytes(json_bytes(found.to_dict()))
        (fresh / TABLE).write_bytes(format_table(found))
        page.write(fresh, PAGE, f"Pictures of {folder.resolve().name}", found)
    return found


class _PictureReader:
    """Reads a picture, and its mask if there is one, whenever it is called."""

    def __init__(self, file: Path, options: MatchOptions) -> None:
        self.file, self._options = file, options

    def __call__(self) -> MaskedPicture:
        image, options = self.read(), self._options
        prepare = Preparation(
            crop="none", size=image.size, channels="grey" if options.grey else "source"
        ).prepare
        picture = MaskedPicture.from_pixels(prepare(image), ScreenSpec(options.encoding))
        if options.masks is None:
            return picture
        mask = read_image_file(_find_mask(options.masks, self.file), SourceReading(colour="as_stored"))
        if mask.size != image.size:
            (width, height), (wide, high) = mask.size, image.size
            raise StimgenError(
                f"the mask has {width} x {height} pixels, the picture {wide} x {high}", where=mask.file
            )
        weights = Preparation(crop="none", size=mask.size, channels="grey").prepare(mask)[:, :, 0]
        return picture.apply_mask(weights.astype(float))

    def read(self) -> ImageFile:
        """Return the file; raise `StimgenError` if it cannot be read or is too small or large."""
        image = read_image_file(self.file, encoding=self._options.encoding)
        try:
            Preparation(crop="none", size=image.size)
        except ValueError:
            width, height = image.size
            raise StimgenError(
                f"has {width} x {height} pixels: sides may have from 8 to 4096", where=self.file
            ) from None
        return image

    def pixels_sha256(self) -> str:
        """Return a hash of the pixels and the mask."""
        picture = self()
        parts = (picture.pixels, picture.weights)
        return digest([[list(part.shape), sha256_bytes(part.tobytes())] for part in parts])


def _find_pictures(folder: Path) -> list[Path]:
    check_folder(folder)
    files = list(list_pictures(folder, below=False))
    if len(files) < 2:
        count = f"only {files[0].name}" if files else "none"
        raise StimgenError(
            f"matching needs at least two pictures; there is {count} here",
            where=folder,
            allowed=list_endings(),
        )
    stems: dict[str, Path] = {}
    for file in files:
        other = stems.setdefault(file.stem.lower(), file)
        if other is not file:
            raise StimgenError(
                f"{other.name} and {file.name} would both be written to {file.stem}.png: rename one",
                where=folder,
            )
    return files


def _find_mask(folder: Path, file: Path) -> Path:
    for suffix in (file.suffix, *list_endings()):
        if (folder / f"{file.stem}{suffix}").is_file():
            return folder / f"{file.stem}{suffix}"
    raise StimgenError(f"there is no mask for {file.name}", where=folder, hint=f"add {file.stem}.png")


def _check_all(readers: Sequence[_PictureReader]) -> None:
    """Refuse all pictures that cannot be read at once, before anything is computed."""
    errors = []
    for reader in readers:
        try:
            reader()
        except StimgenError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else CombinedError(errors)


def build_matching_record(
    result: MatchingResult, matcher: SetMatcher, before: FileHash, saved: FileHash
) -> MatchingRecord:
    """Return what matching did to a picture, given its file and the one that was written."""
    measure = partial(measure_picture, target=matcher.target, settings=matcher.settings)
    return MatchingRecord(
        name=result.name,
        file=before.file,
        sha256=before.sha256,
        saved=saved.file,
        saved_sha256=saved.sha256,
        before=measure(result.before),
        after=measure(result.after),
        iterations=result.matched.iterations,
        ssim=measure_ssim(result.before, result.after, matcher.settings),
        clipped=round(result.matched.clipped, 6),
        desaturated=round(result.matched.desaturated, 6),
    )


def format_table(report: MatchingReport) -> bytes:
    """Return the table of a report as CSV, one row a picture."""
    rows = [_flatten(record.to_dict()) for record in report.pictures]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: escape_formula(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8")


def _flatten(values: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= (
            {f"{inner}_{key}": one for inner, one in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
    return flat
