"""What every format of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from stimgen.export.sets.contents import SetContents
from stimgen.reading.registry import FamilyMember


class Exporter(FamilyMember, ABC):
    """A way of handing a set on."""

    name: str

    @abstractmethod
    def write(self, contents: SetContents, target: Path) -> None:
        """Write a set.

        Parameters
        ----------
        contents : SetContents
            The set, whose names and hashes are checked as it is read.
        target : Path
            What to make: a folder or, where the format is one file, a file. There is nothing there yet.

        Raises `StimgenError` where the set is damaged, or a package that the format needs is not
        installed. Raises `OSError` where it cannot be written.
        """
