"""The files of a set, each read once and compared with all that is said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums
from stimgen.stimulus_set.leftovers import belongs_to, id_prefixes, is_temporary, list_files
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.store import CHECKSUMS, ORIGINALS, Store
from stimgen.stimulus_set.verification import Verification


class FileChecker:
    """The files of a set.

    Parameters
    ----------
    store : Store
        The set.
    report : Verification
        What is wrong is added to it.
    """

    def __init__(self, store: Store, report: Verification) -> None:
        self._store, self._report, self._problems = store, report, report.problems
        self._hashes: dict[str, str | None] = {CHECKSUMS: None}
        self._unlisted: list[str] = []
        self._listed: dict[str, str] | None = None
        try:
            self._listed, found = read_checksums(store)
            self._problems += found
        except StimgenError as error:
            self._problems.append(
                str(error)
                if store.has(CHECKSUMS)
                else f"{CHECKSUMS}: is missing: `stimgen repair` derives it"
            )

    def read(self, name: str, said: str | None = None) -> bytes | None:
        """Return the bytes of a file whose hash a record may have `said`; None where they are not to be had.

        Only for files that are not asked for twice.
        """
        try:
            data = self._store.read(name)
        except StimgenError as error:
            self._add_unreadable(name, error)
            return None
        sha256 = sha256_bytes(data)
        self.compare_hash(name, sha256, said)
        return data if said in (None, sha256) else None

    def compare_hash(self, name: str, sha256: str, said: str | None = None) -> None:
        """Compare the hash of a file that was read with what a record and the checksums say of it."""
        self._hashes[name] = sha256
        if said is not None and sha256 != said:
            self._report.add_spoilt(name, "its bytes are not those of its record")
        elif self._listed is not None:
            self._compare_with_listed(name, sha256, said)

    def _compare_with_listed(self, name: str, sha256: str, said: str | None) -> None:
        listed = self._listed.get(name) if self._listed is not None else None
        if listed is None:
            self._unlisted.append(name)
        elif listed != sha256:
            self._problems.append(
                f"{name}: its bytes are not those of {CHECKSUMS}"
                if said is None
                else f"{CHECKSUMS}: what it says of {name} is wrong"
            )

    def add_failure(self, name: str, problem: str) -> None:
        """Note what is wrong with a file of the set, of whatever bytes it is."""
        self._hashes[name] = None
        self._problems.append(f"{name}: {problem}")

    def check(self, file: FileHash) -> None:
        """Check a file that several records may name; it is read once."""
        if file.file not in self._hashes:
            self._hash_file(file)
        elif self._hashes[file.file] not in (None, file.sha256):
            self._problems.append(f"{file.file}: its bytes are not those of all records that name it")

    def _hash_file(self, file: FileHash) -> None:
        try:
            sha256 = hash_stored_file(self._store, file.file)
        except StimgenError as error:
            self._add_unreadable(file.file, error)
        else:
            self.compare_hash(file.file, sha256, file.sha256)

    def _add_unreadable(self, name: str, error: StimgenError) -> None:
        self._hashes[name] = None
        self._problems.append(str(error))
        self._report.missing.append(name)

    def find_strangers(self, missing: Collection[str]) -> Iterator[str]:
        """Yield what lies in the folder, or is listed, and that no record speaks of.

        Stimuli that are `missing` may have files before they have a record, and their sources originals.
        """
        unfinished = id_prefixes(missing)
        for name in list_files(self._store):
            expected = belongs_to(unfinished, name) or (missing and name.startswith(f"{ORIGINALS}/"))
            if name not in self._hashes and not expected:
                left = "was left by an interrupted run" if is_temporary(name) else "is no part of the set"
                yield f"{name}: {left}"
        for name in self._listed or ():
            if name not in self._hashes and not self._store.has(name):
                yield f"{name}: is missing, and {CHECKSUMS} lists it"
        if self._unlisted:
            many = f" and {len(self._unlisted) - 1} others" if len(self._unlisted) > 1 else ""
            yield f"{CHECKSUMS}: does not list {self._unlisted[0]}{many}"
