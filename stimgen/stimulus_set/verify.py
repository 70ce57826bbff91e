"""Whether a set is what its records say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from stimgen.images.write import decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.manifest import manifest_bytes, table_bytes
from stimgen.stimulus_set.record import Content, FileHash, Record
from stimgen.stimulus_set.store import MANIFEST, TABLE, Store, record_name


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
    """Check every record, id and hash of a set, and the manifest and the table against the records.

    Raises
    ------
    StimgenError
        The set's plan cannot be read.
    """
    plan = store.read_plan()
    found = Verification(planned=len(plan.ids))
    finished = store.finished()
    checked_files: set[str] = set()
    records: list[Record] = []
    for stimulus in plan.ids:
        if stimulus not in finished:
            found.problems.append(f"{record_name(stimulus)}: is missing")
            continue
        try:
            record = store.read_record(stimulus)
        except StimgenError as error:
            found.problems.append(str(error))
            continue
        records.append(record)
        found.checked += 1
        found.problems += _problems(store, stimulus, record.content, checked_files)
    derived = {MANIFEST: manifest_bytes(plan, records), TABLE: table_bytes(records)}
    for name, expected in derived.items():
        if not store.has(name):
            found.problems.append(f"{name}: is missing")
        elif store.read(name) != expected:
            found.problems.append(f"{name}: is not what the records say")
    return found


def _problems(store: Store, stimulus: str, content: Content, checked: set[str]) -> Iterator[str]:
    if content.id != stimulus or content.recomputed_id() != stimulus:
        yield f"{record_name(stimulus)}: its settings do not stand for its id"
    try:
        levels = decode_png(store.read(content.file), store.folder / content.file)
        if sha256_bytes(levels.tobytes()) != content.pixels_sha256:
            yield f"{content.file}: its pixels are not those of its record"
        if [levels.shape[1], levels.shape[0]] != content.pixels.get("size"):
            yield f"{content.file}: its size is not that of its record"
    except StimgenError as error:
        yield str(error)
    files = [FileHash(file=content.file, sha256=content.sha256), content.trace, content.source.original]
    for entry in [*files, content.array]:
        if entry is not None and entry.file not in checked:
            checked.add(entry.file)
            yield from _hash_problem(store, entry)


def _hash_problem(store: Store, entry: FileHash) -> Iterator[str]:
    try:
        if sha256_bytes(store.read(entry.file)) != entry.sha256:
            yield f"{entry.file}: its bytes are not those of its record"
    except StimgenError as error:
        yield str(error)
