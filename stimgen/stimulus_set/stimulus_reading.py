"""Reads all files of a stimulus, to compare them later with what else is known of the set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stimgen.images.write import decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.checksums import hash_stored_file
from stimgen.stimulus_set.manifest_part import ManifestPart
from stimgen.stimulus_set.record import FileHash, RecordContent
from stimgen.stimulus_set.store import Store, record_file

Problem = str | StimgenError


class FileReading(NamedTuple):
    """Holds what was found of a file."""

    name: str
    sha256: str | None
    """Hash of its bytes; None where it cannot be read."""
    problem: str = ""
    """Why it cannot be read."""


@dataclass
class StimulusReading:
    """Holds what was found of the files of a stimulus."""

    record: FileReading | None = None
    """None where the stimulus has no record."""
    damage: StimgenError | None = None
    """Why its record is none."""
    has_its_id: bool = False
    """Whether its settings match its id."""
    files: list[tuple[FileHash, FileReading]] = field(default_factory=list)
    """Its files as the record names them, with what was found; its picture first, empty without a record."""
    picture: list[Problem] = field(default_factory=list)
    """What is wrong with a picture whose bytes are as the record says."""


@dataclass
class VerifiedPart:
    """Holds what was read of stimuli that follow each other in the plan."""

    manifest: ManifestPart
    """Of those whose record can be read."""
    stimuli: list[tuple[str, StimulusReading]] = field(default_factory=list)


def read_stimuli(
    store: Store, columns: Mapping[str, str], stimuli: Sequence[tuple[str, bool]]
) -> VerifiedPart:
    """Read all files of some stimuli, given as ids, each with whether it has a record."""
    part, reader = VerifiedPart(ManifestPart(columns)), _StimulusReader(store)
    for stimulus, finished in stimuli:
        reading = reader.read(stimulus, part.manifest) if finished else StimulusReading()
        part.stimuli.append((stimulus, reading))
    return part


def read_file(store: Store, name: str) -> tuple[bytes | None, FileReading]:
    """Return the bytes of a file, if it can be read, and what was found of it."""
    try:
        data = store.read(name)
    except StimgenError as error:
        return None, FileReading(name, None, str(error))
    return data, FileReading(name, sha256_bytes(data))


def hash_file(store: Store, name: str) -> FileReading:
    """Return what was found of a file, without holding its bytes."""
    try:
        return FileReading(name, hash_stored_file(store, name))
    except StimgenError as error:
        return FileReading(name, None, str(error))


class _StimulusReader:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._originals: dict[str, FileReading] = {}

    def read(self, stimulus: str, manifest: ManifestPart) -> StimulusReading:
        """Read the files of a stimulus, and add its record to a part of the manifest."""
        name = record_file(stimulus)
        data, found = read_file(self._store, name)
        reading = StimulusReading(found)
        if data is None:
            return reading
        try:
            record = self._store.parse_record(stimulus, data)
        except StimgenError as error:
            reading.damage = error
            return reading
        manifest.add(name, data, record)
        content = record.content
        reading.has_its_id = content.id == stimulus == content.compute_id()
        self._read_files(content, reading)
        return reading

    def _read_files(self, content: RecordContent, reading: StimulusReading) -> None:
        picture, *others = content.files
        data, found = read_file(self._store, picture.file)
        reading.files.append((picture, found))
        if data is not None and found.sha256 == picture.sha256:
            reading.picture += self._find_picture_problems(data, content)
        originals = {file.file for file in content.originals}
        for file in others:
            if file.file not in originals:
                reading.files.append((file, hash_file(self._store, file.file)))
                continue
            if file.file not in self._originals:  # stimuli share them
                self._originals[file.file] = hash_file(self._store, file.file)
            reading.files.append((file, self._originals[file.file]))

    def _find_picture_problems(self, data: bytes, content: RecordContent) -> Iterator[Problem]:
        try:
            levels = decode_png(data, self._store.folder / content.file)
        except StimgenError as error:
            yield error
            return
        if sha256_bytes(levels.tobytes()) != content.pixels_sha256:
            yield "its pixels do not match its record"
        if [levels.shape[1], levels.shape[0]] != content.size:
            yield "its size does not match its record"
