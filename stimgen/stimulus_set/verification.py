"""Holds what verifying a set found."""

from __future__ import annotations

from dataclasses import dataclass, field

from stimgen.reading.errors import StimgenError


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
