"""Applies the exclusion rules of experiments to sessions, and counts who and what they exclude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from stimgen.experiment.journal.exclusions import (
    ParticipantFigures,
    TrialFacts,
    compute_figures,
    find_participant_exclusions,
    find_trial_exclusion,
)
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.export.columns import TableColumn
from stimgen.export.sessions import JournalSession

EXCLUDED = TableColumn(
    "excluded", "Why the trial does not count, by the experiment's exclusion rules; n/a if it does."
)
PARTICIPANT_EXCLUDED = "participant_excluded"
"""Name of the column that says of every trial why its participant does not count."""


def exclude_trial(rules: ExclusionRules | None, line: RecordedTrial) -> dict[str, str | None]:
    """Return why a trial does not count, as a column; none without rules."""
    if rules is None:
        return {}
    return {EXCLUDED.name: find_trial_exclusion(rules.trials, TrialFacts.from_recorded(line)) or None}


def exclusion_columns(session: JournalSession, line: RecordedTrial) -> dict[str, str | None]:
    """Return why a trial, and its participant, do not count, as columns; none without rules."""
    found = exclude_trial(session.exclusions, line)
    if session.participant_exclusion is not None:
        found[PARTICIPANT_EXCLUDED] = session.participant_exclusion or None
    return found


@dataclass(frozen=True)
class ExcludedParticipant:
    """Holds what the rules of an experiment say of a participant."""

    participant: str
    experiment: str
    figures: ParticipantFigures
    reasons: tuple[str, ...]
    """Why the participant does not count; empty if they do."""


@dataclass
class ExclusionReport:
    """Collects the trials of participants, and applies the rules to all of their sessions together."""

    rules: ExclusionRules | None = None
    """Rules to apply instead of those that each experiment states."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Number of excluded trials for each reason."""
    _trials: dict[tuple[str, str], list[TrialFacts]] = field(default_factory=dict)
    _rules: dict[tuple[str, str], ExclusionRules] = field(default_factory=dict)
    _missed: set[tuple[str, str]] = field(default_factory=set)

    def add(self, session: JournalSession) -> None:
        """Add a session; without rules it is passed over."""
        rules = self.rules or session.exclusions
        if rules is None:
            return
        self.__dict__.pop("participants", None)
        key = (session.participant.label, session.experiment)
        facts = [TrialFacts.from_recorded(line) for part in session.parts for line in part.trials]
        self._trials.setdefault(key, []).extend(facts)
        self._rules[key] = rules
        self._missed |= {key} if session.criterion_missed else set()
        self.reasons.update(reason for one in facts if (reason := find_trial_exclusion(rules.trials, one)))

    @cached_property
    def participants(self) -> tuple[ExcludedParticipant, ...]:
        """Return all participants, by label, with why they do not count."""
        return tuple(self._list_participants())

    @property
    def trials(self) -> int:
        """Return the number of main trials."""
        return sum(one.is_main for facts in self._trials.values() for one in facts)

    def _list_participants(self) -> Iterator[ExcludedParticipant]:
        for key, facts in sorted(self._trials.items()):
            rules = self._rules[key]
            figures = compute_figures(rules, facts, criterion_missed=key in self._missed)
            yield ExcludedParticipant(*key, figures, find_participant_exclusions(rules, figures))

    def find_reason(self, session: JournalSession) -> str | None:
        """Return why the participant of a session does not count; None if there are no rules."""
        key = (session.participant.label, session.experiment)
        found = (one for one in self.participants if (one.participant, one.experiment) == key)
        return next(("; ".join(one.reasons) for one in found), None)

    def format_lines(self) -> list[str]:
        """Return what is excluded: a line about trials, one about participants, and one for each of these."""
        people = self.participants
        if not people:
            return []
        out = [one for one in people if one.reasons]
        count = sum(self.reasons.values())
        why = ", ".join(f"{number} {reason}" for reason, number in self.reasons.most_common())
        lines = [
            f"excluded trials: {count} of {self.trials}{f' ({why})' if why else ''}",
            f"excluded participants: {len(out)} of {len({one.participant for one in people})}",
        ]
        return lines + [f"  {one.participant}: {'; '.join(one.reasons)}" for one in out]
