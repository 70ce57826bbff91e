"""Defines what every format for sets offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from stimgen.export.sets.contents import SetContents
from stimgen.reading.registry import FamilyMember


class Exporter(FamilyMember, ABC):
    """Writes a set in a format of others."""

    name: str

    @abstractmethod
    def write(self, contents: SetContents, target: Path) -> None:
        """Write a set to a new target: a folder or, where the format is one file, a file.

        Raises `StimgenError` where the set is damaged or a package is not installed, and `OSError` where the
        target cannot be written.
        """
