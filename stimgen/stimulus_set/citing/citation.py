"""Gathers everything that a citation of a set may say, in any format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stimgen.reading.papers import Paper
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.metadata import SetMetadata
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store


@dataclass(frozen=True)
class Citation:
    """Describes a set that is cited."""

    metadata: SetMetadata
    """What its protocol says."""
    summary: SetSummary
    """What its records say."""
    planned: int
    """Number of stimuli that the set is to hold."""

    @classmethod
    def from_plan(cls, plan: PlanRecord, summary: SetSummary) -> Citation:
        """Return the citation of a set; raise `StimgenError` where the plan's metadata are damaged."""
        return cls(SetMetadata.from_plan(plan.protocol, Path(PLAN)), summary, len(plan.ids))

    @property
    def title(self) -> str:
        """Return the set's title, or its name."""
        return to_one_line(self.metadata.title or "") or to_one_line(self.metadata.name) or "Stimuli"

    @property
    def year(self) -> str:
        """Return the year in which the last stimulus was made: four digits, or ``n.d.``."""
        return self.date[:4] if self.date else "n.d."

    @property
    def date(self) -> str | None:
        """Return the day on which the last stimulus was made, such as 2026-11-25."""
        found = re.match(r"[1-9]\d{3}-[01]\d-[0-3]\d", self.summary.made)
        return found[0] if found else None

    @property
    def version(self) -> str | None:
        """Return the set's version, as the protocol gives it."""
        return to_one_line(self.metadata.version) if self.metadata.version else None

    @property
    def url(self) -> str | None:
        """Return the address of the set's DOI."""
        return f"https://doi.org/{self.metadata.doi}" if self.metadata.doi else None

    @property
    def incomplete(self) -> str | None:
        """Return a remark about a set that lacks stimuli; None where it is complete."""
        made = self.summary.stimuli
        return None if made == self.planned else f"not complete: {made} of {self.planned} stimuli"

    @property
    def papers(self) -> list[Paper]:
        """Return the papers that the set follows, and those behind its members, in alphabetical order."""
        metadata = self.metadata
        papers = {paper.key: paper for paper in (*metadata.papers, *metadata.literature)}.values()
        return sorted(papers, key=lambda paper: (paper.authors, paper.year, paper.title))


def read_citation(store: Store) -> Citation:
    """Return the citation of the set in a folder, reading all its records."""
    plan, summary = store.read_plan(), SetSummary()
    for record in store.read_records():
        summary.add(record)
    return Citation.from_plan(plan, summary)
