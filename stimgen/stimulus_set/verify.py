"""Whether a set is what its records say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache

from stimgen.images.write import check_png, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.manifest import pieces
from stimgen.stimulus_set.record import Content, FileHash, Record
from stimgen.stimulus_set.store import CITATION, MANIFEST, PLAN, SHEET, TABLE, PlanRecord, Store, record_name


@dataclass
class Verification:
    """What verifying a set found.

    Attributes
    ----------
    planned, checked : int
        Stimuli that the protocol names, and those that were checked.
    problems : list of str
        Each names its file; empty where all is well.
    """

    planned: int = 0
    checked: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def verify(store: Store) -> Verification:
    """Check every record, id and hash of a set, and what is derived from the records.

    Raises
    ------
    StimgenError
        The set's plan cannot be read.
    """
    plan = store.read_plan()
    found = Verification(planned=len(plan.ids))
    found.problems += _plan_problems(plan)
    finished = store.finished()
    with ExitStack() as files:
        manifest, table, citation = (_Derived(store, name, files) for name in (MANIFEST, TABLE, CITATION))
        records = _checked(store, plan.ids, finished, found)
        for piece in pieces(plan, records, complete=finished.issuperset(plan.ids)):
            manifest.compare(piece.manifest, f", first where {piece.about} stands")
            table.compare(piece.table)
            citation.compare(piece.citation)
        found.problems += [*manifest.problems(), *table.problems(), *citation.problems()]
    found.problems += _sheet_problems(store)
    return found


def _checked(
    store: Store, ids: list[str], finished: set[str], found: Verification
) -> Iterator[tuple[str, Record]]:
    """Yield the records that can be read, each after it was checked with its files."""
    hashes = _Hashes(store)
    for stimulus in ids:
        if stimulus not in finished:
            found.problems.append(f"{record_name(stimulus)}: is missing")
            continue
        try:
            record = store.read_record(stimulus)
        except StimgenError as error:
            found.problems.append(str(error))
            continue
        found.checked += 1
        found.problems += _problems(store, stimulus, record.content, hashes)
        yield record_name(stimulus), record


class _Hashes:
    """The hashes of the set's files; those of originals are kept, because stimuli share them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.of_original = cache(self.of)

    def of(self, file: str) -> str:
        return sha256_bytes(self._store.read(file))


class _Derived:
    """A file derived from plan and records, compared with them piece by piece."""

    def __init__(self, store: Store, name: str, files: ExitStack) -> None:
        self._name = name
        self._stream = files.enter_context(store.reading(name)) if store.has(name) else None
        self._problem = "" if self._stream else "is missing"

    def compare(self, data: bytes, place: str = "") -> None:
        if not self._problem and self._stream and self._stream.read(len(data)) != data:
            self._problem = f"is not what plan and records say{place}"

    def problems(self) -> Iterator[str]:
        if not self._problem and self._stream and self._stream.read(1):
            self._problem = "is not what plan and records say: it goes on after them"
        if self._problem:
            yield f"{self._name}: {self._problem}"


def _plan_problems(plan: PlanRecord) -> Iterator[str]:
    text = plan.protocol.get("text")
    if not isinstance(text, str) or sha256_bytes(text.encode("utf-8")) != plan.protocol.get("sha256"):
        yield f"{PLAN}: the protocol's text is not that of its hash"


def _problems(store: Store, stimulus: str, content: Content, hashes: _Hashes) -> Iterator[str]:
    if content.id != stimulus or content.recomputed_id() != stimulus:
        yield f"{record_name(stimulus)}: its settings do not stand for its id"
    try:
        levels = decode_png(store.read(content.file), store.folder / content.file)
        if sha256_bytes(levels.tobytes()) != content.pixels_sha256:
            yield f"{content.file}: its pixels are not those of its record"
        if [levels.shape[1], levels.shape[0]] != content.size:
            yield f"{content.file}: its size is not that of its record"
    except StimgenError as error:
        yield str(error)
    files: list[FileHash | None] = [FileHash(file=content.file, sha256=content.sha256)]
    files += [content.trace, content.array, *(content.snapshots.files if content.snapshots else ())]
    for file in files:
        if file is not None:
            yield from _hash_problems(file, hashes.of)
    for picture in (content.source, *content.references):
        yield from _hash_problems(picture.original, hashes.of_original)


def _hash_problems(entry: FileHash, hash_of: Callable[[str], str]) -> Iterator[str]:
    try:
        if hash_of(entry.file) != entry.sha256:
            yield f"{entry.file}: its bytes are not those of its record"
    except StimgenError as error:
        yield str(error)


def _sheet_problems(store: Store) -> Iterator[str]:
    if store.has(SHEET):
        try:
            check_png(store.read(SHEET), store.folder / SHEET)
        except StimgenError as error:
            yield str(error)
