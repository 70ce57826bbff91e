"""One suite for every paradigm and every schedule: whoever adds a file is tested by it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from stimgen.experiment.design.decisions import (
    Design,
    Factor,
    LevelScale,
    Participant,
    TrialDecision,
    TrialResult,
    combine_factors,
)
from stimgen.experiment.design.paradigms import PARADIGMS, Paradigm, PictureSlot
from stimgen.experiment.design.paradigms.base import Pairing, Perception
from stimgen.experiment.design.schedules import SCHEDULES, Schedule
from stimgen.experiment.design.trial import Trial
from stimgen.reading.registry import Family, FamilyMember

CONDITIONS = ("easy", "middle", "hard", "worst")
NAMES = {"names": {"a": "apple", "b": ["bell", "chime"], "c": "cup", "d": "door"}}
UNKNOWN = {**NAMES, "unknown": "don't know", "criterion": 0.8}

# What a member needs, and what else of it is worth a test; others are tested as they are by themselves.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "oddity": [{}, {"layout": "temporal"}, {"oddball": "original"}, {"alternatives": 5}],
    "abx": [{}, {"layout": "sample_first"}, {"rule": "independent"}],
    "two_afc": [{}, {"layout": "spatial"}],
    "same_different": [{}, {"layout": "spatial"}, {"criterion": 2.5}],
    "yes_no": [{}, {"criterion": 0.7}],
    "naming": [
        NAMES,
        {**NAMES, "typed": True},
        {**NAMES, "show": "synthesis"},
        UNKNOWN,
        {**UNKNOWN, "typed": True},
    ],
    "mlds": [
        {},
        {"method": "triads"},
        {"layout": "temporal", "order": ["original", "easy", "hard", "worst"]},
    ],
    "rating": [{}, {"steps": 2, "show": "synthesis"}, {"steps": 10}],
    "one_back": [{"length": 5}, {"length": 6, "repeats": 3, "show": "original", "streams": 5}],
    "triplets": [{}, {"items": "conditions"}, {"show": "original", "layout": "temporal", "number": 2}],
    "constant": [{}, {"source_gap": 3}, {"repetitions": 2, "blocked": ["condition"], "source_gap": 2}],
    "staircase": [
        {"level": "condition", "harder": "lower", "trials": 12, "source_gap": 3},
        {
            "level": "condition",
            "harder": "lower",
            "trials": 30,
            "reversals": 4,
            "tracks": 3,
            "up": 2,
            "down": 3,
            "steps": [2, 1],
        },
        {"level": "condition", "trials": 8, "harder": "higher", "start": 2.2},
        {"level": "condition", "trials": 6, "harder": "lower", "blocked": "duration", "source_gap": 2},
    ],
    "questplus": [
        {"level": "condition", "harder": "lower", "trials": 5, "source_gap": 2},
        {
            "level": "condition",
            "harder": "lower",
            "trials": 3,
            "tracks": 2,
            "form": "normal",
            "threshold": [1, 2],
            "slope": [1],
        },
    ],
}


class Quick:
    """A stream of random numbers in a hurry."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self) -> float:
        return float(self._rng.standard_normal())

    def uniform(self) -> float:
        return float(self._rng.random())

    def choice(self, values: Sequence[Any]) -> Any:
        return values[int(self._rng.integers(len(values)))]


def every(family: Family) -> list[Any]:
    # QUEST+ is a package's; its test of a missing one is elsewhere.
    missing = pytest.mark.skipif(find_spec("questplus") is None, reason="no questplus")
    return [
        pytest.param(
            family.members[name](**settings), id=f"{name}-{i}", marks=missing if name == "questplus" else ()
        )
        for name in family.members
        for i, settings in enumerate(VARIANTS.get(name, [{}]))
    ]


@pytest.mark.parametrize("member", [*every(PARADIGMS), *every(SCHEDULES)])
def test_a_member_round_trips_through_json(member: FamilyMember) -> None:
    again = TypeAdapter(type(member)).validate_python(json.loads(json.dumps(member.to_dict())))
    assert again == member
    assert isinstance(again, Paradigm) or hash(again) == hash(member)


# Paradigms

paradigms = pytest.mark.parametrize("paradigm", every(PARADIGMS))
choices = pytest.mark.parametrize("paradigm", [p for p in every(PARADIGMS) if not p.values[0].is_stream])
graded = pytest.mark.parametrize(
    "paradigm",
    [p for p in every(PARADIGMS) if p.values[0].has_correct_answer and not p.values[0].is_stream],
)


def arranged(paradigm: Paradigm) -> Iterator[tuple[Pairing, TrialDecision, Trial, list[PictureSlot]]]:
    """Yield every trial that there can be, with the items that it shows, in order."""
    for meeting in sorted(paradigm.pairings):
        balanced = paradigm.balanced_factors(meeting)
        every_levels = combine_factors(paradigm.picture_factors(CONDITIONS, ("contract",)))
        sources = paradigm.list_sources(tuple("abcd"), ("contract",))
        for source, levels, given in product(sources, every_levels, combine_factors(balanced)):
            choice = TrialDecision(1, levels, source, given)
            made = paradigm.arrange(choice, meeting)
            trial = Trial(
                index=1,
                block=1,
                levels=levels,
                source=source,
                balanced=given,
                phases=(),
                answers=paradigm.answers(),
                correct=made.correct,
            )
            yield meeting, choice, trial, [item for interval in made.intervals for item in interval]


@paradigms
def test_every_answer_has_a_key_of_its_own(paradigm: Paradigm) -> None:
    keys = paradigm.default_keys()
    assert list(keys) == list(paradigm.answers())
    assert len(set(keys.values())) == len(keys)


@graded
def test_each_answer_is_correct_equally_often_where_all_that_is_balanced_is(paradigm: Paradigm) -> None:
    counts = Counter(trial.correct for _, _, trial, _ in arranged(paradigm))
    assert set(counts) == set(paradigm.guesses())
    assert len(set(counts.values())) == 1
    # An answer that says that one does not know is never correct.
    assert set(paradigm.answers()) - {getattr(paradigm, "unknown", None)} in (set(), set(counts))


@paradigms
def test_pictures_shown_together_have_places_of_their_own(paradigm: Paradigm) -> None:
    for meeting, choice, _, items in arranged(paradigm):
        made = paradigm.arrange(choice, meeting)
        assert made == paradigm.arrange(choice, meeting)
        for interval in made.intervals:
            assert len({str(item.place) for item in interval}) == len(interval)
        wanted = {"original"} if meeting == "original-synthesis" else {"other_seed"}
        assert {item.role for item in items} <= wanted | {"synthesis"}


def answer_by_roles(name: str, items: list[PictureSlot], trial: Trial, layout: str) -> str | None:
    """What is correct, told from what is shown alone."""
    roles = [item.role for item in items]
    if name == "oddity":
        return trial.answers[next(i for i, role in enumerate(roles) if roles.count(role) == 1)]
    if name == "abx":
        x, a, b = roles if layout == "sample_first" else (roles[2], roles[0], roles[1])
        return {(True, False): "A", (False, True): "B"}[x == a, x == b]
    if name == "two_afc":
        return trial.answers[roles.index("original")]
    if name == "same_different":
        return "same" if roles[0] == roles[1] else "different"
    if name == "yes_no":
        return "yes" if roles == ["original"] else "no"
    return {"a": "apple", "b": "bell", "c": "cup", "d": "door"}[trial.source]


@graded
def test_the_correct_answer_is_the_one_that_the_pictures_tell(paradigm: Paradigm) -> None:
    for _, _, trial, items in arranged(paradigm):
        layout = getattr(paradigm, "layout", "")
        assert trial.correct == answer_by_roles(paradigm.name, items, trial, layout)


@graded
def test_where_pictures_meet_in_several_ways_the_words_of_the_first_do_for_both(paradigm: Paradigm) -> None:
    for first, second in product(sorted(paradigm.pairings), repeat=2):
        factors = paradigm.balanced_factors(first)
        answers: Counter[str | None] = Counter()
        roles: Counter[str] = Counter()
        for values in product(*(factor.values for factor in factors)):
            given = dict(zip((factor.name for factor in factors), values, strict=True))
            made = paradigm.arrange(TrialDecision(1, {}, "a", given), second)
            answers[made.correct] += 1
            roles.update(item.role for interval in made.intervals for item in interval)
        own = paradigm.balanced_factors(second)
        there = Counter(
            item.role
            for values in product(*(factor.values for factor in own))
            for interval in paradigm.arrange(
                TrialDecision(1, {}, "a", dict(zip((factor.name for factor in own), values, strict=True))),
                second,
            ).intervals
            for item in interval
        )
        assert roles == there
        assert len(set(answers.values())) == 1


@graded
@pytest.mark.parametrize("dprime", [0.0, 1.7])
def test_decisions_reach_the_proportion_correct_that_is_expected(paradigm: Paradigm, dprime: float) -> None:
    trials = [trial for _, _, trial, _ in arranged(paradigm)]
    count = 10000 // len(trials) * len(trials)
    stream: Any = Quick(7)
    right = sum(
        paradigm.grade(trial, paradigm.decide(trial, Perception.constant(dprime), stream)) is True
        for trial in trials * (count // len(trials))
    )
    expected = paradigm.proportion_correct(dprime)
    # Four standard errors, and what the quadrature for many alternatives may be off.
    assert abs(right / count - expected) < 4 * np.sqrt(expected * (1 - expected) / count) + 0.001


@graded
def test_who_sees_nothing_is_at_chance_and_who_sees_more_is_better(paradigm: Paradigm) -> None:
    expected = [paradigm.proportion_correct(dprime) for dprime in (0.0, 0.5, 1.0, 2.0, 4.0, 12.0)]
    chance = 1 / len(paradigm.guesses())
    if getattr(paradigm, "unknown", None) is None:
        assert expected[0] == pytest.approx(chance, abs=1e-3)
    assert expected == sorted(expected)
    # With pictures that are the same, a criterion for their difference makes errors whatever d' is.
    assert expected[-1] > (0.85 if paradigm.name == "same_different" else 0.9999)


@graded
def test_answers_are_graded(paradigm: Paradigm) -> None:
    for _, _, trial, _ in arranged(paradigm):
        assert paradigm.grade(trial, trial.correct) is True
        assert paradigm.grade(trial, None) is None
        wrong = [answer for answer in paradigm.guesses() if answer != trial.correct]
        assert all(paradigm.grade(trial, answer) is False for answer in wrong)


@choices
def test_features_are_judged_with_an_allowed_answer(paradigm: Paradigm) -> None:
    rng, stream = np.random.default_rng(5), Quick(5)
    for _, _, trial, items in arranged(paradigm):
        features = rng.standard_normal((len(items), 6)).tolist()
        assert paradigm.judge_features(trial, features, stream) in paradigm.guesses()  # type: ignore[arg-type] # as quick


@pytest.mark.parametrize("paradigm", [p for p in every(PARADIGMS) if p.id[:3] in ("odd", "abx", "sam")])
def test_features_that_tell_roles_apart_are_judged_correctly(paradigm: Paradigm) -> None:
    rng = np.random.default_rng(5)
    of_role = {role: rng.standard_normal(40) * 3 for role in ("original", "synthesis", "other_seed")}
    for _, _, trial, items in arranged(paradigm):
        features = [(of_role[item.role] + 0.1 * rng.standard_normal(40)).tolist() for item in items]
        assert paradigm.judge_features(trial, features, Quick(1)) == trial.correct  # type: ignore[arg-type] # as quick


# Schedules

schedules = pytest.mark.parametrize("schedule", every(SCHEDULES))


def design(participant: str = "03") -> Design:
    condition = Factor("condition", ("easy", "middle", "hard"))
    return Design(
        factors=(condition, Factor("duration", ("200 ms", "2 s"))),
        sources=tuple("abcdef"),
        balanced=(Factor("location", (1, 2, 3)),),
        participant=Participant(participant),
        key=("experiment", "contract", 1),
        level=LevelScale("condition", "condition", condition.values, (3.0, 2.0, 1.0)[::-1]),
        chance=1 / 3,
    )


def walked(
    schedule: Schedule, some: Design, answers: Sequence[bool | None]
) -> list[tuple[TrialDecision, TrialResult]]:
    """Return a session with these answers, over and over."""
    done: list[tuple[TrialDecision, TrialResult]] = []
    while (choice := schedule.next(some, [past for _, past in done])) is not None:
        answer = answers[len(done) % len(answers)]
        done.append((choice, TrialResult(choice.levels, choice.source, choice.track, answer)))
        assert len(done) < 5000
    return done


ANSWERS: tuple[bool | None, ...] = (True, True, False, True, None, True, True, True, False, True, True)


@schedules
def test_a_schedule_accepts_what_it_can_follow_and_is_the_same_every_time(schedule: Schedule) -> None:
    schedule.check(design())
    again = type(schedule).model_validate(schedule.to_dict())
    assert schedule.list_decisions(design()) == again.list_decisions(design())
    assert walked(schedule, design(), ANSWERS) == walked(again, design(), ANSWERS)
    assert [c.source for c in schedule.list_decisions(design())] != [
        c.source for c in schedule.list_decisions(design("04"))
    ]


@schedules
def test_what_comes_next_depends_on_nothing_but_the_history(schedule: Schedule) -> None:
    some = design()
    one = walked(schedule, some, ANSWERS)
    other = walked(schedule, some, (False, True))
    order = np.random.default_rng(3).permutation(len(one))[:8]
    for i in order:
        assert schedule.next(some, [past for _, past in one[:i]]) == one[i][0]
        j = min(int(i), len(other) - 1)
        assert schedule.next(some, [past for _, past in other[:j]]) == other[j][0]
    # A session that goes on in another process, from the journal.
    fresh = type(schedule).model_validate(schedule.to_dict())
    middle = len(one) // 2
    assert fresh.next(design(), [past for _, past in one[:middle]]) == one[middle][0]


@schedules
def test_choices_have_all_that_a_trial_needs(schedule: Schedule) -> None:
    some = design()
    for choice, _ in walked(schedule, some, ANSWERS):
        assert list(choice.levels) == ["condition", "duration"]
        assert all(choice.levels[factor.name] in factor.values for factor in some.factors)
        assert choice.source in some.sources
        assert choice.balanced["location"] in (1, 2, 3)
        assert json.loads(json.dumps(asdict(choice))) == asdict(choice)


@schedules
@pytest.mark.parametrize("answers", [ANSWERS, (True,), (False,), (None,)])
def test_a_session_ends_and_keeps_its_sources_apart(
    schedule: Schedule, answers: tuple[bool | None, ...]
) -> None:
    done = walked(schedule, design(), answers)
    assert 0 < len(done) <= len(schedule.list_decisions(design()))
    assert schedule.adaptive or [choice for choice, _ in done] == list(schedule.list_decisions(design()))
    sources = [choice.source for choice, _ in done]
    for i, source in enumerate(sources):
        assert source not in sources[max(0, i - schedule.source_gap) : i]
    tracks = Counter(choice.track for choice, _ in done)
    if schedule.adaptive:
        assert max(tracks.values()) <= getattr(schedule, "trials", 0)
    for found in schedule.find_thresholds(design(), [past for _, past in done]):
        assert json.dumps(found.to_dict())
        assert (found.threshold is None) == (found.reason is not None)


@schedules
def test_too_large_a_gap_is_refused_with_one_that_can_be_kept(schedule: Schedule) -> None:
    too_large = schedule.replace(source_gap=len(design().sources))
    with pytest.raises(Exception, match="6 sources cannot be kept 6 trials apart") as refused:
        too_large.check(design())
    assert "is 5" in str(refused.value)
    possible = schedule.replace(source_gap=5)
    possible.check(design())
    sources = [choice.source for choice, _ in walked(possible, design(), ANSWERS)]
    assert all(len(set(sources[i : i + 6])) == len(sources[i : i + 6]) for i in range(len(sources)))
