"""Reads a frozen study: everything about a study before it is run, as one archive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from pydantic import ValidationError

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.journal.exclusions import parse_exclusion_rules
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import MEGABYTE
from stimgen.reading.identity import canonical_json, sha256_bytes
from stimgen.reading.model import Model, format_first_error
from stimgen.stimulus_set.store import CHECKSUMS

STUDY, EXPERIMENT, EXCLUSIONS, README = "study.json", "experiment.yaml", "exclusions.txt", "README.txt"
TRIALS, SETS, PICTURES = "trials", "sets", "pictures"
MAX_FILE_BYTES = 1024 * MEGABYTE


class FrozenSet(Model):
    """Describes a stimulus set of a study."""

    name: str
    """The folder's name."""
    protocol: str
    """File name of the protocol."""
    plan_sha256: str
    """Hash of the list of its stimuli."""
    content_hash: str
    """Hash over its pictures; docs/citing.md defines it."""
    stimuli: int
    title: str
    version: str | None
    licence: str | None
    doi: str | None


class StudyRecord(Model):
    """Describes a study, except for its lists of trials."""

    format: int = 1
    name: str
    title: str
    experiment_sha256: str
    """Hash of the experiment's text."""
    seed: int
    adaptive: bool
    """Whether the lists hold candidates, among which the answers decide."""
    participants: tuple[str, ...]
    groups: dict[str, str] = {}
    """The group of every participant, if there are groups."""
    sessions: tuple[str, ...]
    viewing: dict[str, Any]
    """The screen, for which places and durations were computed."""
    sets: tuple[FrozenSet, ...]
    pictures: dict[str, str] = {}
    """Hashes of the pictures of the instructions, by their paths from the experiment's folder."""
    software: dict[str, str]
    """Versions of the software that froze it."""

    @property
    def persons(self) -> Iterator[Participant]:
        """Yield every participant with every session."""
        for participant in self.participants:
            for session in self.sessions:
                yield Participant(participant, session)


class PlannedCatch(NamedTuple):
    """Holds a catch trial and its place."""

    after: int
    """Number of main trials before it."""
    trial: dict[str, Any]


class PlannedTrials(NamedTuple):
    """Holds the trials of a session."""

    practice: list[dict[str, Any]]
    """Practice trials, each once."""
    main: list[list[dict[str, Any]]]
    """For every trial that counts, what it may be: one trial, or the candidates of an adaptive schedule."""
    catch: list[PlannedCatch]
    """Catch trials, each kind in its order."""

    @classmethod
    def from_listing(cls, listed: Mapping[str, Any]) -> PlannedTrials:
        """Return the trials of what `stimgen trials` lists."""
        if listed["adaptive"]:
            catch = [PlannedCatch(one["after"], one["trial"]) for one in listed["catch"]]
            return cls(listed["practice"], listed["candidates"], catch)
        return cls.from_trials(listed["trials"])

    @classmethod
    def from_trials(cls, trials: Iterable[dict[str, Any]]) -> PlannedTrials:
        """Return the trials of a session in their order, sorted by what they are for."""
        found = cls([], [], [])
        for trial in trials:
            if trial["practice"]:
                found.practice.append(trial)
            elif trial.get("catch") is not None:
                found.catch.append(PlannedCatch(len(found.main), trial))
            else:
                found.main.append([trial])
        return found

    def to_bytes(self) -> bytes:
        """Return the trials as text: one line of JSON each, practice first, catch trials last."""
        entries: list[dict[str, Any]] = [{"practice": trial} for trial in self.practice]
        entries += [{"one_of": trials} for trials in self.main]
        entries += [{"catch": one.trial, "after": one.after} for one in self.catch]
        return b"".join(canonical_json(entry) + b"\n" for entry in entries)

    @classmethod
    def parse(cls, data: bytes) -> PlannedTrials:
        """Return the trials of a text that `to_bytes` wrote."""
        entries = [json.loads(line) for line in data.splitlines()]
        practice = [_complete_trial(entry["practice"]) for entry in entries if "practice" in entry]
        main = [[_complete_trial(one) for one in entry["one_of"]] for entry in entries if "one_of" in entry]
        catch = [
            PlannedCatch(int(entry["after"]), _complete_trial(entry["catch"]))
            for entry in entries
            if "catch" in entry
        ]
        return cls(practice, main, catch)


def _complete_trial(trial: dict[str, Any]) -> dict[str, Any]:
    """Return a trial with the fields that trials did not have yet when it was frozen, at their defaults.

    Whatever is not a valid trial raises a `ValueError`.
    """
    return Trial.model_validate(trial).to_dict()


def trials_file(participant: Participant) -> str:
    """Return the file of a session's trials in the archive."""
    return f"{TRIALS}/sub-{participant.label}_ses-{participant.session}.jsonl"


class FrozenStudy:
    """Reads an archive of a frozen study, and compares every file that it reads with its checksum.

    The archive may come from somebody else: nothing is unpacked. Raises `StimgenError` where the archive is
    not a frozen study, or is damaged.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._root = ""
        found = [name for name in self._list_names() if name.count("/") == 1 and name.endswith(f"/{STUDY}")]
        if len(found) != 1:
            raise StimgenError(f"is not a frozen study: {STUDY} is not in it", where=file)
        self._root = found[0].removesuffix(STUDY)
        lines = self._read_entry(CHECKSUMS).decode("utf-8", "backslashreplace").splitlines()
        self._sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
        try:
            self.study = StudyRecord.model_validate_json(self.read(STUDY))
        except ValidationError as error:
            raise self._damage_error(f"{STUDY}: {format_first_error(error)}") from None

    def verify(self) -> None:
        """Compare every file with its checksum; raise `StimgenError` where one differs or is missing."""
        names = {name.removeprefix(self._root) for name in self._list_names()} - {CHECKSUMS}
        if names != set(self._sums):
            odd = min(names ^ set(self._sums))
            raise self._damage_error(f"{odd!r} is missing, or not in {CHECKSUMS}")
        for name in sorted(names):
            self.read(name)

    def trials(self, participant: Participant) -> PlannedTrials:
        """Return the trials of a session; raise `StimgenError` where they are damaged."""
        try:
            return PlannedTrials.parse(self.read(trials_file(participant)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._damage_error(f"{trials_file(participant)} holds no trials") from None

    @property
    def exclusion_rules(self) -> ExclusionRules | None:
        """Return the exclusion rules that the frozen experiment states; None if it states none."""
        return parse_exclusion_rules(self.read(EXPERIMENT).decode("utf-8"), self.file)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raise `StimgenError` where it is missing or has another checksum."""
        data = self._read_entry(name)
        if sha256_bytes(data) != self._sums.get(name):
            raise self._damage_error(f"{name} does not match {CHECKSUMS}")
        return data

    def _list_names(self) -> list[str]:
        with self._open_archive() as archive:
            return archive.namelist()

    def _read_entry(self, name: str) -> bytes:
        with self._open_archive() as archive:
            try:
                entry = archive.getinfo(f"{self._root}{name}")
                # Our files are not compressed; a compressed one may be a decompression bomb.
                if entry.compress_type != ZIP_STORED or entry.file_size > MAX_FILE_BYTES:
                    raise self._damage_error(f"{name} is compressed, or too large")
                return archive.read(entry)
            except KeyError:
                raise self._damage_error(f"{name} is missing") from None
            except (BadZipFile, RuntimeError, EOFError, ValueError, OSError):
                raise self._damage_error(f"{name} cannot be read") from None

    def _damage_error(self, problem: str) -> StimgenError:
        return StimgenError(f"is damaged: {problem}", where=self.file)

    def _open_archive(self) -> ZipFile:
        try:
            return ZipFile(self.file)
        except FileNotFoundError:
            raise StimgenError("no such file", where=self.file) from None
        except (BadZipFile, ValueError, NotImplementedError, EOFError):
            raise StimgenError("is not an archive, or is damaged", where=self.file) from None
        except OSError as error:
            raise StimgenError(f"cannot be read: {error.strerror}", where=self.file) from None
