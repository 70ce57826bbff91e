"""Compares every file of a set with all that records and checksums say of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.checksums import read_checksums
from stimgen.stimulus_set.leftovers import belongs_to, id_prefixes, is_temporary, list_files
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.stimulus_reading import FileReading, hash_file, read_file
from stimgen.stimulus_set.store import CHECKSUMS, ORIGINALS, Store


@dataclass
class Verification:
    """Holds what verifying a set found."""

    planned: int = 0
    """Number of stimuli that the protocol names."""
    checked: int = 0
    """Number of stimuli that were checked."""
    problems: list[str] = field(default_factory=list)
    """One line per problem, which names its file."""
    missing: list[str] = field(default_factory=list)
    """Files of the set that are not there."""
    spoilt: list[str] = field(default_factory=list)
    """Files of stimuli and additions that are there, but have changed."""

    @property
    def sound(self) -> bool:
        """Return whether there is no problem."""
        return not self.problems

    def add_missing(self, name: str) -> None:
        """Add the problem that a file is not there."""
        self.problems.append(f"{name}: is missing")
        self.missing.append(name)

    def add_spoilt(self, name: str, problem: str | StimgenError) -> None:
        """Add a problem of a file that is there; an error names the file already."""
        self.problems.append(f"{name}: {problem}" if isinstance(problem, str) else str(problem))
        if name not in self.spoilt[-1:]:
            self.spoilt.append(name)


class FileChecker:
    """Compares files with their hashes, and adds what is wrong to a report."""

    def __init__(self, store: Store, report: Verification) -> None:
        self._store, self._report, self._problems = store, report, report.problems
        self._hashes: dict[str, str | None] = {CHECKSUMS: None}
        self._unlisted: list[str] = []
        self._listed: dict[str, str] | None = None
        try:
            self._listed, found = read_checksums(store)
            self._problems += found
        except StimgenError as error:
            missing = f"{CHECKSUMS}: is missing: `stimgen repair` derives it"
            self._problems.append(str(error) if store.has(CHECKSUMS) else missing)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file that is asked for once; None where they cannot be read."""
        data, reading = read_file(self._store, name)
        self.compare(reading)
        return data

    def compare(self, reading: FileReading, recorded: str | None = None) -> None:
        """Compare what was found of a file with the checksums, and with the hash in a record."""
        if reading.sha256 is None:
            self._hashes[reading.name] = None
            self._problems.append(reading.problem)
            self._report.missing.append(reading.name)
        else:
            self.compare_hash(reading.name, reading.sha256, recorded)

    def compare_hash(self, name: str, sha256: str, recorded: str | None = None) -> None:
        """Compare the hash of a file that was read with what a record and the checksums say of it."""
        self._hashes[name] = sha256
        if recorded is not None and sha256 != recorded:
            self._report.add_spoilt(name, "its bytes do not match its record")
        elif self._listed is not None and name not in self._listed:
            self._unlisted.append(name)
        elif self._listed is not None and self._listed[name] != sha256:
            self._problems.append(
                f"{name}: its bytes do not match {CHECKSUMS}"
                if recorded is None
                else f"{CHECKSUMS}: its line for {name} is wrong"
            )

    def add_failure(self, name: str, problem: str) -> None:
        """Add a problem of a file whose bytes need not be compared any more."""
        self._hashes[name] = None
        self._problems.append(f"{name}: {problem}")

    def check(self, file: FileHash, reading: FileReading | None = None) -> None:
        """Check a file that several records may name, once; it is read unless its `reading` is given."""
        known = self._hashes.get(file.file, "")
        if known == "":
            self.compare(reading or hash_file(self._store, file.file), file.sha256)
        elif known not in (None, file.sha256):
            self._problems.append(f"{file.file}: its bytes do not match all records that name it")

    def find_strangers(self, missing: Collection[str]) -> Iterator[str]:
        """Yield a problem for each file that lies in the folder, or is listed, but is in no record.

        Stimuli that are `missing` may have files before they have a record, and their sources originals.
        """
        unfinished = id_prefixes(missing)
        for name in list_files(self._store):
            expected = belongs_to(unfinished, name) or (missing and name.startswith(f"{ORIGINALS}/"))
            if name not in self._hashes and not expected:
                left = "was left by an interrupted run" if is_temporary(name) else "is not part of the set"
                yield f"{name}: {left}"
        for name in self._listed or ():
            if name not in self._hashes and not self._store.has(name):
                yield f"{name}: is missing, and {CHECKSUMS} lists it"
        if self._unlisted:
            many = f" and {len(self._unlisted) - 1} others" if len(self._unlisted) > 1 else ""
            yield f"{CHECKSUMS}: does not list {self._unlisted[0]}{many}"
