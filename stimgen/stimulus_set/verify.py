"""Whether a set is what its records say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from stimgen.images.write import check_png, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.manifest import manifest_bytes, table_bytes
from stimgen.stimulus_set.record import Content, FileHash, Record
from stimgen.stimulus_set.store import MANIFEST, PLAN, SHEET, TABLE, PlanRecord, Store, record_name

MOST_NAMES = 5


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
    hashes = _Hashes(store)
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
        found.problems += _problems(store, stimulus, record.content, hashes)
    found.problems += _derived_problems(store, plan, records)
    return found


class _Hashes:
    """The hashes of the set's files, each read once: stimuli share their originals."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, str] = {}

    def problems(self, entry: FileHash) -> Iterator[str]:
        try:
            if entry.file not in self._found:
                self._found[entry.file] = sha256_bytes(self._store.read(entry.file))
            if self._found[entry.file] != entry.sha256:
                yield f"{entry.file}: its bytes are not those of its record"
        except StimgenError as error:
            yield str(error)


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
        if [levels.shape[1], levels.shape[0]] != content.pixels.get("size"):
            yield f"{content.file}: its size is not that of its record"
    except StimgenError as error:
        yield str(error)
    files = [FileHash(file=content.file, sha256=content.sha256), content.trace, content.source.original]
    for entry in [*files, content.array]:
        if entry is not None:
            yield from hashes.problems(entry)


def _derived_problems(store: Store, plan: PlanRecord, records: list[Record]) -> Iterator[str]:
    derived = {MANIFEST: manifest_bytes(plan, records), TABLE: table_bytes(records)}
    for name, expected in derived.items():
        if not store.has(name):
            yield f"{name}: is missing"
            continue
        data = store.read(name)
        if data != expected:
            names = _differing(data, plan, records) if name == MANIFEST else []
            more = f": it differs from {', '.join(names[:MOST_NAMES])}" if names else ""
            yield f"{name}: is not what plan and records say{more}"
    if store.has(SHEET):
        try:
            check_png(store.read(SHEET), store.folder / SHEET)
        except StimgenError as error:
            yield str(error)


def _differing(data: bytes, plan: PlanRecord, records: list[Record]) -> list[str]:
    """Return which files a manifest contradicts, for the one that was changed may be any of them."""
    try:
        manifest = json.loads(data)
        entries = {entry["content"]["id"]: entry for entry in manifest["stimuli"]}
        same_plan = manifest["protocol"] == plan.protocol and entries.keys() <= set(plan.ids)
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    names = [record_name(r.content.id) for r in records if entries.get(r.content.id) != r.plain()]
    return names if same_plan else [PLAN, *names]
