"""Formats names of persons and groups as bibliographies print them."""

from __future__ import annotations

from typing import NamedTuple

from stimgen.reading.text import to_one_line


class PersonName(NamedTuple):
    """Represents a person, or a group, which has no given name."""

    family: str
    given: str = ""

    @classmethod
    def parse(cls, text: str) -> PersonName:
        """Return the name written as ``Family, Given``, or without a comma if it is a group's."""
        family, _, given = to_one_line(text).partition(",")
        return cls(family.strip() or "Anonymous", given.strip())

    @property
    def initials(self) -> str:
        """Abbreviate the given names.

        Examples
        --------
        >>> PersonName.parse("Fiquet, Pierre-Étienne Jean").initials
        'P.-É. J.'
        """
        words = [word.split("-") for word in self.given.split()]
        return " ".join("-".join(f"{part[0]}." for part in parts if part) for parts in words)

    @property
    def family_first(self) -> str:
        """Return family name and initials: ``Lovelace, A.``."""
        return f"{self.family}, {self.initials}" if self.given else self.family
