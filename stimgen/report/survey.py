"""A first reading of all records: what the page says before it shows a picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter

from stimgen.report.rules import OUTLIER, RULES, compute_score, find_outliers
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.record import Record, RecordContent
from stimgen.stimulus_set.store import Store


@dataclass
class ListedStimulus:
    """What is kept in memory of a stimulus."""

    id: str
    source: str
    condition: str
    seed: int
    file: str
    original: str
    """The file of its source, as the model saw it."""
    warnings: tuple[str, ...]
    """Keys of rules."""


@dataclass
class RecordSurvey:
    """What is known of a set.

    Attributes
    ----------
    summary : SetSummary
        What citations need.
    stimuli : list of ListedStimulus
        In the set's order.
    files : dict
        Bytes of every picture that the page may show.
    """

    summary: SetSummary = field(default_factory=SetSummary)
    stimuli: list[ListedStimulus] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    _scores: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store) -> RecordSurvey:
        """Return the survey of a set.

        Raises
        ------
        StimgenError
            A record is damaged.
        """
        survey = cls()
        for record in store.read_records():
            survey._add(store, record)
        for i in find_outliers(survey._scores):
            survey.stimuli[i].warnings += (OUTLIER,)
        return survey

    def _add(self, store: Store, record: Record) -> None:
        self.summary.add(record)
        content = record.content
        original = content.source.original.file
        warnings = tuple(key for key, rule in RULES.items() if rule.holds(content))
        self._add_score(content)
        named = (content.id, content.source.id, content.condition, content.seed)
        self.stimuli.append(ListedStimulus(*named, content.file, original, warnings))
        for file in (content.file, original):
            state = store.file_state(file)
            self.files[file] = state.size if state else 0

    def _add_score(self, content: RecordContent) -> None:
        found = compute_score(content)
        if found is not None:
            self._scores.setdefault(content.condition, []).append((len(self.stimuli), found))

    def count_warned(self, key: str) -> dict[str, int]:
        """Return how many stimuli of each condition a rule warns of; only those that it does."""
        return dict(Counter(one.condition for one in self.stimuli if key in one.warnings))

    def choose(self, most: int) -> list[ListedStimulus]:
        """Return the stimuli to be shown, in the set's order: all, or `most` of them.

        Ids are hashes, so that those with the first are chosen at random, and the same every time. Every n-th
        could be of one condition.
        """
        chosen = {one.id for one in sorted(self.stimuli, key=attrgetter("id"))[:most]}
        return [one for one in self.stimuli if one.id in chosen]
