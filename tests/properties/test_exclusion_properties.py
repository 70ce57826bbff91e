"""Exclusion rules count what they say: against a reference that is written in another way."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.journal.exclusions import (
    TrialFacts,
    compute_figures,
    find_participant_exclusions,
    find_trial_exclusion,
)
from stimgen.experiment.schema.exclusions import ExclusionRules, ParticipantExclusions, TrialExclusions

proportions = st.none() | st.integers(0, 20).map(lambda twentieth: twentieth / 20)
limits = st.none() | st.integers(1, 30).map(lambda tenth: f"{tenth * 100} ms")


@st.composite
def trials(draw: st.DrawFn) -> TrialFacts:
    kind = draw(st.sampled_from(["main", "main", "main", "practice", "catch"]))
    answered = draw(st.booleans() | st.just(True))
    time = draw(st.integers(0, 40)) / 10 if answered else None
    return TrialFacts(
        practice=kind == "practice",
        catch=kind == "catch",
        answered=answered,
        correct=draw(st.booleans()) if answered else draw(st.sampled_from([None, False])),
        seconds=None if time is None else time + 1.5,
        seconds_from_last=time,
        interrupted=draw(st.integers(0, 1)),
        dropped=draw(st.integers(0, 3)),
    )


@st.composite
def trial_rules(draw: st.DrawFn) -> TrialExclusions:
    return TrialExclusions(
        faster_than=draw(st.none() | st.integers(1, 9).map(lambda tenth: f"{tenth * 100} ms")),
        slower_than=draw(st.none() | st.integers(1, 4).map(lambda second: f"{second} s")),
        measured_from=draw(st.sampled_from(["last", "first"])),
        missed=draw(st.booleans()),
        interrupted=draw(st.booleans()),
        dropped_above=draw(st.none() | st.integers(0, 3)),
    )


def counts(rules: TrialExclusions, one: TrialFacts) -> bool:
    """Return whether a main trial counts."""
    time = one.seconds if rules.measured_from == "first" else one.seconds_from_last
    return (
        (one.answered or not rules.missed)
        and (rules.faster_than is None or time is None or time * 1000 >= float(str(rules.faster_than)[:-3]))
        and (rules.slower_than is None or time is None or time <= float(str(rules.slower_than)[:-2]))
        and not (rules.interrupted and one.interrupted)
        and (rules.dropped_above is None or one.dropped <= rules.dropped_above)
    )


@given(trial_rules(), trials())
def test_a_trial_is_excluded_exactly_if_a_rule_applies(rules: TrialExclusions, one: TrialFacts) -> None:
    reason = find_trial_exclusion(rules, one)
    assert bool(reason) == (one.is_main and not counts(rules, one))


@given(trial_rules(), st.lists(trials(), max_size=30), st.booleans())
def test_figures_are_of_the_main_trials_that_count(
    rules: TrialExclusions, facts: list[TrialFacts], missed: bool
) -> None:
    found = compute_figures(ExclusionRules(trials=rules), facts, criterion_missed=missed)
    main = [one for one in facts if not (one.practice or one.catch)]
    kept = [one for one in main if counts(rules, one)]
    assert (found.trials, found.excluded, found.counted) == (len(main), len(main) - len(kept), len(kept))
    assert found.missed == len([one for one in main if not one.answered])
    graded = [float(one.correct) for one in kept if one.correct is not None]
    assert found.accuracy == (sum(graded) / len(graded) if graded else None)
    times = [one.seconds if rules.measured_from == "first" else one.seconds_from_last for one in kept]
    known = [time for time in times if time is not None]
    assert found.median_seconds == (median(known) if known else None)
    caught = [one for one in facts if one.catch]
    assert found.catch_trials == len(caught)
    assert found.catch_accuracy == (
        len([one for one in caught if one.correct]) / len(caught) if caught else None
    )
    # Practice and catch trials change nothing but their own figures.
    assert compute_figures(ExclusionRules(trials=rules), main, criterion_missed=missed) == replace(
        found, catch_trials=0, catch_accuracy=None
    )


@given(st.lists(trials(), max_size=20), proportions, proportions, proportions, st.booleans())
def test_each_rule_about_participants_excludes_on_its_own(
    facts: list[TrialFacts], accuracy: float | None, misses: float | None, caught: float | None, missed: bool
) -> None:
    people = ParticipantExclusions(
        accuracy_below=accuracy, missed_above=misses, catch_below=caught, practice_criterion=True
    )
    rules = ExclusionRules(participants=people)
    figures = compute_figures(rules, facts, criterion_missed=missed)
    expected = [
        accuracy is not None and figures.accuracy is not None and round(figures.accuracy, 6) < accuracy,
        caught is not None
        and figures.catch_accuracy is not None
        and round(figures.catch_accuracy, 6) < caught,
        misses is not None and round(figures.missed / max(1, figures.trials), 6) > misses,
        missed,
    ]
    assert len(find_participant_exclusions(rules, figures)) == sum(expected)


def test_without_rules_nothing_is_excluded() -> None:
    facts = [TrialFacts(correct=False, seconds=9.0, seconds_from_last=9.0, interrupted=2, dropped=9)]
    rules = ExclusionRules()
    assert find_trial_exclusion(rules.trials, facts[0]) == ""
    assert find_participant_exclusions(rules, compute_figures(rules, facts, criterion_missed=True)) == ()
    assert rules.describe() == ()
