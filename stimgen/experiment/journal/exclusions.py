"""Applies exclusion rules to trials and participants; the functions are pure, and read no files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median

from stimgen.experiment.journal.header import JournalHeader
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last
from stimgen.experiment.schema.exclusions import ExclusionRules, TrialExclusions
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, validate


class _StatedRules(Model):
    exclusions: ExclusionRules


@dataclass(frozen=True)
class TrialFacts:
    """Holds what exclusion rules ask of a trial."""

    practice: bool = False
    catch: bool = False
    answered: bool = True
    correct: bool | None = None
    """None if there was no answer that counts as right or wrong."""
    seconds: float | None = None
    """Response time from the onset of the first interval's pictures; None without an answer."""
    seconds_from_last: float | None = None
    """Response time from the onset of the last interval's pictures."""
    interrupted: int = 0
    """How often a pause interrupted the trial."""
    dropped: int = 0
    """Refreshes of the screen that were missed."""

    @classmethod
    def from_recorded(cls, line: RecordedTrial) -> TrialFacts:
        """Return the facts of a trial of a journal."""
        outcome = line.outcome
        return cls(
            practice=line.trial.practice,
            catch=line.trial.catch is not None,
            answered=outcome.answer is not None,
            correct=line.correct,
            seconds=outcome.seconds,
            seconds_from_last=time_from_last(line),
            interrupted=outcome.interrupted,
            dropped=sum(shot.dropped for shot in outcome.shots),
        )

    @property
    def is_main(self) -> bool:
        """Return whether the trial is neither practice nor a catch trial."""
        return not self.practice and not self.catch

    def find_time(self, rules: TrialExclusions) -> float | None:
        """Return the response time in seconds, from the onset that the rules name."""
        return self.seconds if rules.measured_from == "first" else self.seconds_from_last


@dataclass(frozen=True)
class ParticipantFigures:
    """Holds what exclusion rules ask of a participant, over all sessions."""

    trials: int
    """Number of main trials."""
    excluded: int
    """Number of main trials that the rules exclude."""
    missed: int
    """Number of main trials without an answer."""
    accuracy: float | None
    """Proportion correct of the main trials that count and are graded; None without any."""
    median_seconds: float | None
    """Median response time of the main trials that count; None without any."""
    catch_trials: int
    """Number of catch trials."""
    catch_accuracy: float | None
    """Proportion correct of the catch trials, of which those without an answer are not correct."""
    criterion_missed: bool = False
    """Whether a practice ended without reaching its criterion."""

    @property
    def counted(self) -> int:
        """Return the number of main trials that count."""
        return self.trials - self.excluded


def read_exclusion_rules(header: JournalHeader, journal: Path) -> ExclusionRules | None:
    """Return the rules of the experiment that a journal keeps; None if it states none.

    Only this part of the experiment is read, so that one of an earlier or later version is no problem. Rules
    that are not valid raise a `StimgenError`.
    """
    return parse_exclusion_rules(header.experiment.text, journal)


def parse_exclusion_rules(text: str, kept_in: Path) -> ExclusionRules | None:
    """Return the rules of an experiment's text, which the file `kept_in` keeps; None if it states none.

    Rules that are not valid raise a `StimgenError`.
    """
    try:
        return _parse_rules(text, Path("experiment"))
    except StimgenError:
        # Again, for an error that names the file.
        return _parse_rules(text, Path(f"{kept_in} (its experiment)"))


@lru_cache(maxsize=16)
def _parse_rules(text: str, file: Path) -> ExclusionRules | None:
    """Return the rules; the journals of a study keep one text."""
    document = parse_document(text, file)
    stated = document.data.get("exclusions") if isinstance(document.data, dict) else None
    if stated is None:
        return None
    return validate(_StatedRules, {"exclusions": stated}, document).exclusions


def find_trial_exclusion(rules: TrialExclusions, trial: TrialFacts) -> str:
    """Return why a main trial does not count, in a few words; empty if it does.

    Practice and catch trials never count, and no rule is needed for that: they have no reason either.
    """
    if not trial.is_main:
        return ""
    return next(_list_trial_reasons(rules, trial), "")


def _list_trial_reasons(rules: TrialExclusions, trial: TrialFacts) -> Iterator[str]:
    time = trial.find_time(rules)
    if rules.missed and not trial.answered:
        yield "missed"
    if rules.faster_than is not None and time is not None and time < rules.faster_than.seconds:
        yield f"faster than {rules.faster_than}"
    if rules.slower_than is not None and time is not None and time > rules.slower_than.seconds:
        yield f"slower than {rules.slower_than}"
    if rules.interrupted and trial.interrupted:
        yield "interrupted"
    if rules.dropped_above is not None and trial.dropped > rules.dropped_above:
        yield f"more than {rules.dropped_above} refreshes missed"


def compute_figures(
    rules: ExclusionRules, trials: Iterable[TrialFacts], *, criterion_missed: bool = False
) -> ParticipantFigures:
    """Return the figures of a participant from the trials of all sessions."""
    every = list(trials)
    main, catch = [one for one in every if one.is_main], [one for one in every if one.catch]
    counted = [one for one in main if not find_trial_exclusion(rules.trials, one)]
    grades = [one.correct for one in counted if one.correct is not None]
    times = [time for one in counted if (time := one.find_time(rules.trials)) is not None]
    return ParticipantFigures(
        trials=len(main),
        excluded=len(main) - len(counted),
        missed=sum(not one.answered for one in main),
        accuracy=sum(grades) / len(grades) if grades else None,
        median_seconds=median(times) if times else None,
        catch_trials=len(catch),
        catch_accuracy=sum(one.correct is True for one in catch) / len(catch) if catch else None,
        criterion_missed=criterion_missed,
    )


def find_participant_exclusions(rules: ExclusionRules, figures: ParticipantFigures) -> tuple[str, ...]:
    """Return why a participant does not count, in a few words each; empty if they do.

    A rule about a figure that is not known excludes nobody.
    """
    people, trials = rules.participants, max(1, figures.trials)
    below: Sequence[tuple[str, float | None, float | None]] = (
        ("correct", figures.accuracy, people.accuracy_below),
        ("of catch trials correct", figures.catch_accuracy, people.catch_below),
    )
    above: Sequence[tuple[str, float, float | None]] = (
        ("of trials missed", figures.missed / trials, people.missed_above),
        ("of trials excluded", figures.excluded / trials, people.excluded_above),
    )
    # Sums and quotients of whole numbers are compared with what was typed: 0.7 is not below 0.7.
    found = [
        f"{value:.1%} {what}, less than {limit:.4g}"
        for what, value, limit in below
        if value is not None and limit is not None and value < limit - 1e-9
    ]
    found += [
        f"{value:.1%} {what}, more than {limit:.4g}"
        for what, value, limit in above
        if limit is not None and value > limit + 1e-9
    ]
    if people.practice_criterion and figures.criterion_missed:
        found.append("practice without reaching its criterion")
    time, fast, slow = figures.median_seconds, people.median_faster_than, people.median_slower_than
    if time is not None and fast is not None and time < fast.seconds:
        found.append(f"median response time {time:.3f} s, less than {fast}")
    if time is not None and slow is not None and time > slow.seconds:
        found.append(f"median response time {time:.3f} s, more than {slow}")
    if people.trials_below is not None and figures.counted < people.trials_below:
        found.append(f"{figures.counted} trials that count, fewer than {people.trials_below}")
    return tuple(found)
