"""Reads all records once for what the page says before it shows a picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter

from stimgen.report.metamers import MetamerSummary
from stimgen.report.rules import OUTLIER, RULES, compute_score, find_outliers
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import Store


@dataclass
class ListedStimulus:
    """Holds what is kept in memory of a stimulus."""

    id: str
    source: str
    condition: str
    seed: int
    file: str
    original: str
    """File of its source as the model saw it."""
    warnings: tuple[str, ...]
    """Keys of the rules that hold."""


@dataclass
class RecordSurvey:
    """Holds what the records of a set say."""

    summary: SetSummary = field(default_factory=SetSummary)
    stimuli: list[ListedStimulus] = field(default_factory=list)
    """All stimuli in the set's order."""
    metamers: dict[str, MetamerSummary] = field(default_factory=dict)
    """The proofs of metamers, by condition."""
    files: dict[str, int] = field(default_factory=dict)
    """Size in bytes of every picture that the page may show."""

    @classmethod
    def read(cls, store: Store) -> RecordSurvey:
        """Read the records of a set; raise `StimgenError` if a record is damaged."""
        survey = cls()
        scores: dict[str, list[tuple[int, float]]] = {}
        for i, record in enumerate(store.read_records()):
            survey._add(store, record)
            score = compute_score(record.content)
            if score is not None:
                scores.setdefault(record.content.condition, []).append((i, score))
        for i in find_outliers(scores):
            survey.stimuli[i].warnings += (OUTLIER,)
        return survey

    def _add(self, store: Store, record: Record) -> None:
        self.summary.add(record)
        content = record.content
        if content.quality and content.quality.metamer:
            self.metamers.setdefault(content.condition, MetamerSummary()).add(content.quality.metamer)
        original = content.source.original.file
        warnings = tuple(key for key, rule in RULES.items() if rule.holds(content))
        labels = (content.id, content.source.id, content.condition, content.seed)
        self.stimuli.append(ListedStimulus(*labels, content.file, original, warnings))
        for file in (content.file, original):
            state = store.file_state(file)
            self.files[file] = state.size if state else 0

    def count_warned(self, key: str) -> dict[str, int]:
        """Return the number of stimuli that a rule warns of, for every condition that has any."""
        return dict(Counter(one.condition for one in self.stimuli if key in one.warnings))

    def choose(self, most: int) -> list[ListedStimulus]:
        """Return all stimuli or `most` of them, in the set's order.

        Ids are hashes, so that the first ids are a random choice that is the same every time. Every n-th
        stimulus could be of one condition.
        """
        chosen = {one.id for one in sorted(self.stimuli, key=attrgetter("id"))[:most]}
        return [one for one in self.stimuli if one.id in chosen]
