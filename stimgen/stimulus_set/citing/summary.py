"""What the records of a set say together, gathered one by one: those of a large set are too large to hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from stimgen.stimulus_set.record import Record, RecordContent, SourceRecord


@dataclass
class ConditionSummary:
    """The stimuli of one condition.

    Attributes
    ----------
    first : RecordContent
        Of its first stimulus: terms and settings are the same for all.
    stimuli : int
        How many there are.
    seeds, parameters, schedules : set
        Those that occur.
    """

    first: RecordContent
    stimuli: int = 0
    seeds: set[int] = field(default_factory=set)
    parameters: set[int] = field(default_factory=set)
    schedules: set[tuple[tuple[int, int, int], ...]] = field(default_factory=set)

    def add(self, content: RecordContent) -> None:
        """Count one more stimulus."""
        self.stimuli += 1
        self.seeds.add(content.seed)
        self.parameters.add(content.parameters)
        self.schedules.add(tuple(content.schedule))


@dataclass
class SetSummary:
    """All stimuli of a set that are finished.

    Attributes
    ----------
    conditions : dict
        By id, in the set's order.
    sources, references : dict
        Photographs by id: what stimuli were made from, and what targets were measured in beside.
    weights : dict
        Hash of every network's weights; None where it has none.
    versions : dict
        Every package's versions, in alphabetical order.
    devices : set
        What stimuli were made on.
    changes : tuple of str
        What was changed of the protocol, to try it quickly.
    made : str
        When the last stimulus was finished: ISO 8601, UTC; empty without any.
    """

    conditions: dict[str, ConditionSummary] = field(default_factory=dict)
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    references: dict[str, SourceRecord] = field(default_factory=dict)
    weights: dict[tuple[str, str | None], str] = field(default_factory=dict)
    versions: dict[str, set[str]] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    changes: tuple[str, ...] = ()
    made: str = ""
    _pictures: list[str] = field(default_factory=list)

    @classmethod
    def from_records(cls, records: Iterable[Record]) -> SetSummary:
        """Return the summary of records."""
        summary = cls()
        for record in records:
            summary.add(record)
        return summary

    def add(self, record: Record) -> None:
        """Count one more stimulus."""
        content, made = record.content, record.made
        self.conditions.setdefault(content.condition, ConditionSummary(content)).add(content)
        self.sources.setdefault(content.source.id, content.source)
        self.references.update({picture.id: picture for picture in content.references})
        self.weights |= {(one.name, one.weights_sha256): one.validation for one in content.network}
        for package, version in made.versions.items():
            self.versions.setdefault(package, set()).add(version)
        self.devices.add(made.device)
        self.changes = self.changes or content.changes
        self.made = max(self.made, made.finished)
        self._pictures.append(content.sha256)

    @property
    def stimuli(self) -> int:
        """Number of stimuli."""
        return len(self._pictures)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the pictures, whatever their names and their order.

        Of the text that holds the SHA-256 of every stimulus' file in hexadecimal, sorted, a line each::

            find images -type f -exec sha256sum {} + | cut -c 1-64 | sort | sha256sum
        """
        digest = hashlib.sha256()
        for picture in sorted(self._pictures):
            digest.update(f"{picture}\n".encode())
        return digest.hexdigest()
