"""What verifying a set found."""

from __future__ import annotations

from dataclasses import dataclass, field

from stimgen.reading.errors import StimgenError


@dataclass
class Verification:
    """What verifying a set found.

    Attributes
    ----------
    planned, checked : int
        Stimuli that the protocol names, and those that were checked.
    problems : list of str
        Each names its file; empty where all is well.
    missing : list of str
        Files of the set that are not there.
    spoilt : list of str
        Files of the set's stimuli and additions that are there and are not what they were.
    """

    planned: int = 0
    checked: int = 0
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    spoilt: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def add_missing(self, name: str) -> None:
        """Add the problem of a file that is not there."""
        self.problems.append(f"{name}: is missing")
        self.missing.append(name)

    def add_spoilt(self, name: str, problem: str | StimgenError) -> None:
        """Add a problem of a file that is there; an error names it already."""
        self.problems.append(f"{name}: {problem}" if isinstance(problem, str) else str(problem))
        if name not in self.spoilt[-1:]:
            self.spoilt.append(name)
