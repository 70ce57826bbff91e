"""Defines exclusion rules: which trials, and whose data, do not count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.duration import TimeLimit
from stimgen.reading.model import Flag, Integer, Model, Number, validation_error

Proportion = Annotated[Number, Field(ge=0.0, le=1.0)]


class TrialExclusions(Model):
    """Says which main trials do not count."""

    faster_than: TimeLimit | None = None
    """Exclude answers that came sooner."""
    slower_than: TimeLimit | None = None
    """Exclude answers that came later."""
    measured_from: Literal["last", "first"] = "last"
    """Whether response times count from the onset of the last interval's pictures, or of the first's."""
    missed: Flag = False
    """Exclude trials without an answer."""
    interrupted: Flag = False
    """Exclude trials that a pause interrupted, after which they were shown again."""
    dropped_above: Annotated[Integer, Field(ge=0)] | None = None
    """Exclude trials in which more refreshes of the screen were missed."""

    @model_validator(mode="after")
    def _check_limits(self) -> TrialExclusions:
        if self.faster_than and self.slower_than and self.faster_than.seconds >= self.slower_than.seconds:
            raise validation_error(
                f"nothing is left: faster_than is {self.faster_than}, and slower_than is {self.slower_than}",
                at="slower_than",
            )
        return self


class ParticipantExclusions(Model):
    """Says whose data do not count; all sessions of a participant are taken together."""

    accuracy_below: Proportion | None = None
    """Least proportion correct in the main trials that count."""
    missed_above: Proportion | None = None
    """Largest proportion of main trials without an answer."""
    excluded_above: Proportion | None = None
    """Largest proportion of main trials that the rules for trials exclude."""
    catch_below: Proportion | None = None
    """Least proportion correct in catch trials; one without an answer is not correct."""
    practice_criterion: Flag = False
    """Exclude who began the main trials without reaching the criterion of the practice."""
    median_faster_than: TimeLimit | None = None
    """Least median response time in the main trials that count."""
    median_slower_than: TimeLimit | None = None
    """Largest median response time in the main trials that count."""
    trials_below: Annotated[Integer, Field(ge=1)] | None = None
    """Least number of main trials that count."""


class ExclusionRules(Model):
    """Says which trials and participants do not count; nothing is deleted."""

    trials: TrialExclusions = TrialExclusions()
    """Rules for trials."""
    participants: ParticipantExclusions = ParticipantExclusions()
    """Rules for participants, which are applied after those for trials."""

    def describe(self) -> tuple[str, ...]:
        """Return a sentence for each rule, for people to read."""
        trials, people = self.trials, self.participants
        since = f"since the onset of the {trials.measured_from} pictures"
        rules: list[tuple[object, str]] = [
            (trials.faster_than, f"Trials do not count if the answer came in less than {{}} {since}."),
            (trials.slower_than, f"Trials do not count if the answer came after more than {{}} {since}."),
            (trials.missed or None, "Trials do not count if there was no answer."),
            (trials.interrupted or None, "Trials do not count if a pause interrupted them."),
            (trials.dropped_above, "Trials do not count if more than {} refreshes were missed."),
            (people.accuracy_below, "Participants do not count with less than {:.4g} correct."),
            (people.missed_above, "Participants do not count if they missed more than {:.4g} of the trials."),
            (people.excluded_above, "Participants do not count with more than {:.4g} of trials excluded."),
            (people.catch_below, "Participants do not count with less than {:.4g} of catch trials correct."),
            (
                people.practice_criterion or None,
                "Participants do not count if they did not reach the criterion of the practice.",
            ),
            (people.median_faster_than, f"Participants do not count with a median below {{}} {since}."),
            (people.median_slower_than, f"Participants do not count with a median above {{}} {since}."),
            (people.trials_below, "Participants do not count with fewer than {} trials that count."),
        ]
        return tuple(text.format(value) for value, text in rules if value is not None)
