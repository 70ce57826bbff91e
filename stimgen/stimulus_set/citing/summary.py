"""Sums up the records of a set one by one, because those of a large set are too large to hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from stimgen.stimulus_set.record import Record, RecordContent, SourceRecord


@dataclass
class ConditionSummary:
    """Sums up the stimuli of one condition."""

    first: RecordContent
    """Content of the first stimulus; terms and settings are the same for all."""
    stimuli: int = 0
    """Number of stimuli."""
    seeds: set[int] = field(default_factory=set)
    parameters: set[int] = field(default_factory=set)
    schedules: set[tuple[tuple[int, int, int], ...]] = field(default_factory=set)

    def add(self, content: RecordContent) -> None:
        """Add a stimulus."""
        self.stimuli += 1
        self.seeds.add(content.seed)
        self.parameters.add(content.parameters)
        self.schedules.add(tuple(content.schedule))

    def include(self, other: ConditionSummary) -> None:
        """Add other stimuli of the condition, which come later in the set."""
        self.stimuli += other.stimuli
        self.seeds |= other.seeds
        self.parameters |= other.parameters
        self.schedules |= other.schedules


@dataclass
class SetSummary:
    """Sums up all stimuli of a set that are finished."""

    conditions: dict[str, ConditionSummary] = field(default_factory=dict)
    """By id, in the set's order."""
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    """Photographs that stimuli were made from, by id."""
    references: dict[str, SourceRecord] = field(default_factory=dict)
    """Other pictures that targets were measured in, by id."""
    weights: dict[tuple[str, str | None], str] = field(default_factory=dict)
    """Name of every network and hash of its weights, with a note on its validation."""
    versions: dict[str, set[str]] = field(default_factory=dict)
    """Versions of every package."""
    devices: set[str] = field(default_factory=set)
    """What stimuli were made on."""
    changes: tuple[str, ...] = ()
    """What ``--quick`` changed of the protocol."""
    made: str = ""
    """When the last stimulus was finished."""
    _pictures: list[str] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Add a stimulus."""
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

    def include(self, other: SetSummary) -> None:
        """Add the stimuli of another part of the set, which comes later."""
        for name, condition in other.conditions.items():
            self.conditions.setdefault(name, ConditionSummary(condition.first)).include(condition)
        for name, source in other.sources.items():
            self.sources.setdefault(name, source)
        self.references |= other.references
        self.weights |= other.weights
        for package, versions in other.versions.items():
            self.versions.setdefault(package, set()).update(versions)
        self.devices |= other.devices
        self.changes = self.changes or other.changes
        self.made = max(self.made, other.made)
        self._pictures += other._pictures

    @property
    def stimuli(self) -> int:
        """Return the number of stimuli."""
        return len(self._pictures)

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 over the pictures, whatever their names and their order.

        The hashed text holds the SHA-256 of every stimulus' file in hexadecimal, sorted, one per line::

            find images -type f -exec sha256sum {} + | cut -c 1-64 | sort | sha256sum
        """
        digest = hashlib.sha256()
        for picture in sorted(self._pictures):
            digest.update(f"{picture}\n".encode())
        return digest.hexdigest()
