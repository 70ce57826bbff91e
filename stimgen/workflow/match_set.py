"""Matches the pictures of a stimulus set after synthesis, and makes a new set of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from stimgen.images.matching import SetMatching
from stimgen.images.matching.report import MatchingRecord, MatchingReport
from stimgen.images.matching.run import MatchingResult, SetMatcher
from stimgen.images.picture import MaskedPicture
from stimgen.images.write import Bits, decode_png, encode_png
from stimgen.reading.atomic import create_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.lock import refuse_locked
from stimgen.stimulus_set.matched import (
    MatchedSet,
    SavedPicture,
    compare_matched,
    read_original,
    read_stimulus,
    refuse_matched,
)
from stimgen.stimulus_set.record import FileHash, Record, RecordContent
from stimgen.stimulus_set.store import PLAN, Store, json_bytes, record_file
from stimgen.workflow.match import build_matching_record, ignore_picture

Reader = Callable[[], MaskedPicture]


def match_set(
    store: Store,
    target: Path,
    settings: SetMatching | None = None,
    report: Callable[[int, int], None] = ignore_picture,
) -> MatchingReport:
    """Match all stimuli and originals of a set with each other, and write them as a new set.

    Stimuli and originals get new ids and names. Everything else of them is kept, except for pictures before
    rounding, snapshots, the loss of the saved picture and scores of an evaluation network, which do not apply
    to matched pictures. `report` is called after every picture. Nothing is left if it fails.

    Raises
    ------
    StimgenError
        The set is not finished or is being written, was matched already, its pictures cannot be matched,
        clipping would undo the matching, or the folder `target` holds something.
    """
    settings = settings or SetMatching()
    records = _read_all(store)
    contents = [record.content for record in records]
    first = contents[0]
    bits = _find_bits(store, first)
    pictures = _list_pictures(store, contents)
    hashes = tuple(sorted({file.sha256 for content in contents for file in _picture_files(content)}))
    matched = MatchedSet(settings, hashes)
    names = {content.file: matched.name_stimulus(content, content.file) for content in contents}
    names |= {one.file: matched.name_original(one) for content in contents for one in content.originals}
    matcher = SetMatcher(settings, pictures, bits, rendered=True)
    found: list[MatchingRecord] = []
    saved: dict[str, SavedPicture] = {}
    with create_atomically(target) as fresh:
        new = Store.create(fresh)
        for result in matcher.run():
            saved[result.name] = _save(result, new, names[result.name], first.encoding)
            before = FileHash(file=result.name, sha256=sha256_bytes(store.read(result.name)))
            found.append(build_matching_record(result, matcher, before, saved[result.name].file))
            report(len(found), len(pictures))
        _write_records(store, new, matched, records, saved)
        write_derived_files(new)
    return MatchingReport(
        settings=settings, encoding=first.encoding, bits=bits, target=hashes, pictures=tuple(found)
    )


def _read_all(store: Store) -> list[Record]:
    refuse_locked(store.folder)
    refuse_matched(store, "they are not matched again")
    records = list(store.read_records())
    missing = len(store.read_plan().ids) - len(records)
    if missing or not records:
        raise StimgenError(
            f"is not finished: {missing} stimuli are missing",
            where=store.folder,
            hint="run the same stimgen generate command again to make them",
        )
    return records


def _find_bits(store: Store, content: RecordContent) -> Bits:
    levels = decode_png(store.read(content.file), store.folder / content.file)
    return 16 if levels.dtype.itemsize == 2 else 8


def _picture_files(content: RecordContent) -> Iterable[FileHash]:
    return (content.files[0], *content.originals)


def _list_pictures(store: Store, contents: list[RecordContent]) -> dict[str, Reader]:
    """Return functions that read the pictures, by their files."""
    found: dict[str, Reader] = {}
    for content in contents:
        for one in content.originals:
            found.setdefault(one.file, partial(read_original, store, one.file, content))
        found[content.file] = partial(read_stimulus, store, content)
    return found


def _save(result: MatchingResult, new: Store, name: str, encoding: str) -> SavedPicture:
    data = encode_png(result.levels, "linear" if encoding == "linear" else "srgb")
    new.write(name, data)
    file = FileHash(file=name, sha256=sha256_bytes(data))
    return SavedPicture(file, sha256_bytes(result.levels.tobytes()), result.matched.clipped)


def _write_records(
    store: Store, new: Store, matched: MatchedSet, records: list[Record], saved: dict[str, SavedPicture]
) -> None:
    ids = [matched.find_stimulus_id(record.content) for record in records]
    plan = matched.build_plan(store.read_plan(), sha256_bytes(store.read(PLAN)), ids)
    new.write(PLAN, json_bytes(plan.to_dict()))
    for record in records:
        fresh = matched.build_record(record, saved)
        new.write(fresh.content.trace.file, store.read(record.content.trace.file))
        fresh = fresh.replace(content=compare_matched(fresh.content, new))
        new.write(record_file(fresh.content.id), json_bytes(fresh.to_dict()))
