"""Names of persons and groups, as bibliographies print them."""

from __future__ import annotations

import re
from typing import NamedTuple

from stimgen.reading.text import to_one_line


class PersonName(NamedTuple):
    """A person, or a group, which has no given name."""

    family: str
    given: str = ""

    @classmethod
    def parse(cls, text: str) -> PersonName:
        """Return the name that is written ``Family, Given``, or that of a group, without a comma."""
        family, _, given = to_one_line(text).partition(",")
        return cls(family.strip() or "Anonymous", given.strip())

    @property
    def initials(self) -> str:
        """The given names, abbreviated.

        Examples
        --------
        >>> PersonName.parse("Fiquet, Pierre-Étienne Jean").initials
        'P.-É. J.'
        """
        words = [re.split("-", word) for word in self.given.split()]
        return " ".join("-".join(f"{part[0]}." for part in parts if part) for parts in words)

    @property
    def family_first(self) -> str:
        """Family name and initials: ``Lovelace, A.``."""
        return f"{self.family}, {self.initials}" if self.given else self.family
