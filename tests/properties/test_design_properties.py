"""What lists of trials promise, for designs of any shape."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimgen.experiment.design.decisions import (
    Design,
    Factor,
    LevelScale,
    Participant,
    Scalar,
    TrialDecision,
    TrialResult,
)
from stimgen.experiment.design.practice import draw_practice_trials
from stimgen.experiment.design.schedules import Schedule
from stimgen.experiment.design.schedules.constant import Constant
from stimgen.experiment.design.schedules.counterbalance import assign_order, latin_square, williams_orders
from stimgen.experiment.design.schedules.order import check_gap, draw_spaced_order
from stimgen.experiment.design.schedules.staircase import Staircase
from stimgen.experiment.trials.builder import rotate_seeds
from stimgen.reading.errors import StimgenError

SOURCES = "abcdefghij"


@dataclass(frozen=True)
class Shape:
    """A design of random shape: values of the factors, sources, values of what is balanced."""

    factors: tuple[int, ...]
    sources: int
    balanced: tuple[int, ...]

    def design(self, participant: int | str = 1, session: str = "1") -> Design:
        return Design(
            factors=tuple(Factor(f"f{i}", tuple(range(n))) for i, n in enumerate(self.factors)),
            sources=tuple(SOURCES[: self.sources]),
            balanced=tuple(Factor(f"b{i}", tuple(range(n))) for i, n in enumerate(self.balanced)),
            participant=Participant(str(participant), session),
            key=("experiment", "random", 1),
        )

    @property
    def combinations(self) -> int:
        return prod(self.balanced)


shapes = st.builds(
    Shape,
    st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
    st.integers(1, 5),
    st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
)
few = settings(max_examples=40)


def balanced_repetitions(shape: Shape, least: int) -> int:
    """Return a number of repetitions with which a cell can be balanced within a participant."""
    return next(n for n in range(least, 100) if n * shape.sources % shape.combinations == 0)


def cell(choice: TrialDecision) -> tuple[Scalar, ...]:
    return tuple(choice.levels.values())


def combination(choice: TrialDecision) -> tuple[Scalar, ...]:
    return tuple(choice.balanced.values())


def counts(values: Iterable[Any], of: int) -> set[int]:
    """Return the frequencies of values that should be `of` different ones."""
    counted = Counter(values)
    return set(counted.values()) | ({0} if len(counted) < of else set())


def apart(sources: Sequence[str], gap: int) -> bool:
    return all(source not in sources[max(0, i - gap) : i] for i, source in enumerate(sources))


@st.composite
def constants(draw: st.DrawFn) -> tuple[Shape, Constant]:
    """Return a design and a schedule that balances it within a participant, with the largest gap or less."""
    shape = draw(shapes)
    names = [f"f{i}" for i in range(len(shape.factors))]
    schedule = Constant(
        repetitions=balanced_repetitions(shape, draw(st.integers(1, 3))),
        blocked=tuple(draw(st.lists(st.sampled_from(names), unique=True))),
        block_order=draw(st.sampled_from(["random", "fixed", "latin", "williams"])),
        source_gap=draw(st.integers(0, shape.sources - 1)),
    )
    return shape, schedule


@few
@given(constants(), st.integers(0, 300))
def test_within_a_participant_everything_comes_equally_often(
    drawn: tuple[Shape, Constant], participant: int
) -> None:
    shape, schedule = drawn
    some = shape.design(participant)
    schedule.check(some)
    found = schedule.list_decisions(some)
    cells, repetitions = prod(shape.factors), schedule.repetitions
    assert len(found) == cells * shape.sources * repetitions
    assert counts(((cell(c), c.source) for c in found), cells * shape.sources) == {repetitions}
    each = repetitions * shape.sources // shape.combinations
    assert counts(((cell(c), combination(c)) for c in found), cells * shape.combinations) == {each}
    # With a source, too, as nearly as its repetitions permit.
    of_source = counts(
        ((cell(c), c.source, combination(c)) for c in found), cells * shape.sources * shape.combinations
    )
    assert max(of_source) - min(of_source) <= 1


@few
@given(constants())
def test_sources_keep_apart_over_the_borders_of_blocks(drawn: tuple[Shape, Constant]) -> None:
    shape, schedule = drawn
    for participant in (1, 2):
        found = schedule.list_decisions(shape.design(participant))
        assert apart([choice.source for choice in found], schedule.source_gap)


@few
@given(constants(), st.integers(1, 50))
def test_blocks_hold_the_values_of_their_factors(drawn: tuple[Shape, Constant], participant: int) -> None:
    shape, schedule = drawn
    found = schedule.list_decisions(shape.design(participant))
    blocks = [choice.block for choice in found]
    assert blocks == sorted(blocks)
    sizes = [n for i, n in enumerate(shape.factors) if f"f{i}" in schedule.blocked]
    of_block = {
        c.block: tuple(c.levels[name] for name in c.levels if name in schedule.blocked) for c in found
    }
    assert set(of_block) == set(range(1, prod(sizes) + 1))
    assert set(of_block.values()) == set(product(*(range(n) for n in sizes)))
    for choice in found:
        values = tuple(choice.levels[name] for name in choice.levels if name in schedule.blocked)
        assert values == of_block[choice.block]


@few
@given(shapes, st.integers(1, 3), st.integers(0, 3), st.sampled_from(["1", "2"]))
def test_across_participants_everything_comes_equally_often(
    shape: Shape, repetitions: int, lap: int, session: str
) -> None:
    schedule = Constant(repetitions=repetitions, balance="across")
    n, cells = shape.combinations, prod(shape.factors)
    found = []
    for participant in range(lap * n + 1, (lap + 1) * n + 1):
        some = shape.design(participant, session)
        schedule.check(some)
        own = schedule.list_decisions(some)
        # As nearly as possible in every cell, and over the whole session.
        within = counts(((cell(c), combination(c)) for c in own), cells * n)
        assert max(within) - min(within) <= 1
        overall = counts((combination(c) for c in own), n)
        assert max(overall) - min(overall) <= 1
        found += own
    triples = counts(((cell(c), c.source, combination(c)) for c in found), cells * shape.sources * n)
    assert triples == {repetitions}


@few
@given(shapes, st.integers(1, 3), st.integers(1, 4))
def test_exemplars_come_equally_often_and_with_every_combination(
    shape: Shape, repetitions: int, seeds: int
) -> None:
    schedule = Constant(repetitions=repetitions, balance="across")
    n, cells = shape.combinations, prod(shape.factors)
    found: list[tuple[Any, ...]] = []
    for participant in range(1, n * seeds + 1):
        own = [
            (cell(c), c.source, c.exemplar % seeds, combination(c))
            for c in schedule.list_decisions(shape.design(participant))
        ]
        used = counts((one[:3] for one in own), cells * shape.sources * seeds)
        assert max(used) - min(used) <= 1
        found += own
    assert counts(found, cells * shape.sources * seeds * n) == {repetitions}


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 5000))
def test_seeds_that_meet_come_in_all_ordered_pairs(seeds: int, count: int, first: int) -> None:
    count = min(count, seeds)
    every = list(range(10, 10 + seeds))
    pairs = max(1, seeds - 1) * seeds
    turns = [rotate_seeds(every, first + i, count) for i in range(pairs)]
    assert all(len(set(one)) == count for one in turns)
    for place in range(count):
        assert counts((one[place] for one in turns), seeds) == {pairs // seeds}
    first = -(-first // seeds) * seeds  # the pairs come in rounds
    if count > 1:
        pairs_met = [tuple(rotate_seeds(every, first + i, count)[:2]) for i in range(pairs)]
        assert counts(pairs_met, pairs) == {1}


@given(st.integers(1, 9), st.integers(0, 5))
def test_orders_of_blocks(count: int, lap: int) -> None:
    for square in (latin_square(count), williams_orders(count)):
        assert all(sorted(row) == list(range(count)) for row in square)
        for place in range(count):
            assert counts((row[place] for row in square), count) == {len(square) // count}
        rows = [assign_order(lap * len(square) + i, len(square)) for i in range(1, len(square) + 1)]
        assert sorted(rows) == list(range(len(square)))
        # Odd and even participants, over two rounds of them, have the same orders.
        several = range(2 * lap * len(square) + 1, (2 * lap + 2) * len(square) + 1)
        crossed = [(assign_order(number, len(square)), number % 2) for number in several]
        assert len(square) == 1 or counts(crossed, 2 * len(square)) == {1}
    if count > 1:
        neighbours = [pair for row in williams_orders(count) for pair in pairwise(row)]
        assert counts(neighbours, count * (count - 1)) == {1 + count % 2}


@few
@given(st.integers(2, 4), st.sampled_from(["latin", "williams"]))
def test_participants_take_turns_with_the_orders(blocks: int, order: str) -> None:
    schedule = Constant.model_validate({"blocked": "f0", "block_order": order})
    shape = Shape((blocks,), 1, (1,))
    size = len({"latin": latin_square, "williams": williams_orders}[order](blocks))
    seen = [
        tuple(choice.levels["f0"] for choice in schedule.list_decisions(shape.design(participant)))
        for participant in range(1, size + 1)
    ]
    assert len(set(seen)) == size
    assert seen[0] == tuple(range(blocks)) or order == "williams"
    for place in range(blocks):
        assert counts((one[place] for one in seen), blocks) == {size // blocks}


@few
@given(constants())
def test_the_largest_gap_can_be_kept_and_a_larger_one_is_refused(drawn: tuple[Shape, Constant]) -> None:
    shape, schedule = drawn
    some = shape.design()
    largest = shape.sources - 1
    tight = schedule.replace(source_gap=largest)
    tight.check(some)
    assert apart([choice.source for choice in tight.list_decisions(some)], largest)
    too_tight = schedule.replace(source_gap=largest + 1)
    if len(schedule.list_decisions(some)) == shape.sources:  # every source comes once
        too_tight.check(some)
    else:
        with pytest.raises(StimgenError, match="cannot be kept") as refused:
            too_tight.check(some)
        assert str(refused.value.hint).endswith(f" {largest}")


@given(st.integers(1, 7), st.integers(0, 7), st.integers(1, 4))
def test_no_order_keeps_sources_farther_apart_than_is_allowed(sources: int, gap: int, times: int) -> None:
    # Any n + 1 trials of n sources have one of them twice, with n - 1 others between them at the most.
    try:
        check_gap(gap, sources, sources * times)
    except StimgenError:
        assert gap >= sources
        assert times > 1
    else:
        assert times == 1 or gap < sources


@few
@given(shapes, st.integers(1, 4))
def test_what_cannot_be_balanced_is_refused_with_a_number_that_can(shape: Shape, repetitions: int) -> None:
    schedule = Constant(repetitions=repetitions)
    some = shape.design()
    if repetitions * shape.sources % shape.combinations == 0:
        schedule.check(some)
        return
    with pytest.raises(StimgenError, match="cannot be balanced") as refused:
        schedule.check(some)
    would = int(str(refused.value.hint).removeprefix("use a multiple of ").split()[0])
    schedule.replace(repetitions=would).check(some)
    schedule.replace(repetitions=3 * would).check(some)
    assert all(n * shape.sources % shape.combinations for n in range(1, would))
    schedule.replace(balance="across").check(some)


@few
@given(
    st.integers(2, 7), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.randoms(use_true_random=False)
)
def test_orders_of_equal_numbers_keep_any_gap(sources: int, laps: list[int], rng: random.Random) -> None:
    gap, found = rng.randint(1, sources - 1), list[str]()
    for times in laps:
        labels = [source for source in SOURCES[:sources] for _ in range(times)]
        order = draw_spaced_order(labels, gap, found, Drawn(rng))
        assert sorted(order) == list(range(len(labels)))
        found += [labels[i] for i in order]
    assert apart(found, gap)


class Drawn:
    """Draws that hypothesis chooses."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def uniforms(self, count: int) -> list[float]:
        return [self._rng.random() for _ in range(count)]

    def permutation(self, values: Sequence[Any]) -> list[Any]:
        return self._rng.sample(list(values), len(values))


@few
@given(shapes, st.integers(1, 30), st.integers(0, 6))
def test_practice_is_even_and_keeps_sources_apart(shape: Shape, count: int, gap: int) -> None:
    some = shape.design()
    attempts = [draw_practice_trials(some, count, gap, (1, attempt)) for attempt in range(3)]
    assert all(len(one) == count for one in attempts)
    found = [choice for one in attempts for choice in one]
    assert apart([choice.source for choice in found], min(gap, shape.sources - 1))
    every = prod(shape.factors) * shape.sources * shape.combinations
    for lap in range(0, len(found), every):
        kinds = [(cell(c), c.source, combination(c)) for c in found[lap : lap + every]]
        assert len(set(kinds)) == len(kinds)


def levelled(shape: Shape) -> Design:
    some = shape.design()
    first = Factor("f0", (0, 1, 2, 3))
    level = LevelScale("f0", "condition", first.values, (1.0, 2.0, 4.0, 8.0))
    return replace(some, factors=(first, *some.factors[1:]), level=level)


@few
@given(
    shapes,
    st.integers(1, 3),
    st.integers(1, 12),
    st.none() | st.integers(1, 3),
    st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=20),
)
def test_staircases_take_turns_and_their_candidates_are_even(
    shape: Shape, tracks: int, trials: int, reversals: int | None, answers: list[bool | None]
) -> None:
    some = levelled(shape)
    schedule = Staircase(
        level="condition",
        harder="lower",
        tracks=tracks,
        trials=trials,
        reversals=reversals,
        source_gap=shape.sources - 1,
    )
    schedule.check(some)
    history, done = walked(schedule, some, answers)
    others = prod(shape.factors[1:])
    per_track = Counter(choice.track for choice in done)
    assert len(per_track) == tracks * others
    assert max(per_track.values()) <= trials
    if reversals is None:
        assert set(per_track.values()) == {trials}
        # Everyone has had a turn before anyone has another.
        for lap in range(0, len(done), len(per_track)):
            assert len({choice.track for choice in done[lap : lap + len(per_track)]}) == len(per_track)
    assert apart([choice.source for choice in done], schedule.source_gap)
    of_source = counts((choice.source for choice in done), shape.sources)
    assert max(of_source) - min(of_source) <= shape.combinations
    every = shape.sources * shape.combinations
    for lap in range(0, len(done), every):
        kinds = [(choice.source, combination(choice)) for choice in done[lap : lap + every]]
        assert len(set(kinds)) == len(kinds)
    assert {found.track: found.trials for found in schedule.find_thresholds(some, history)} == per_track


@few
@given(
    shapes,
    st.integers(1, 2),
    st.integers(1, 6),
    st.none() | st.integers(1, 2),
    st.sampled_from(["random", "fixed", "latin", "williams"]),
    st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=20),
)
def test_tracks_of_a_block_run_to_their_end_before_others_begin(
    shape: Shape,
    tracks: int,
    trials: int,
    reversals: int | None,
    order: str,
    answers: list[bool | None],
) -> None:
    some = levelled(shape)
    blocked = tuple(factor.name for factor in some.factors[1:2])
    schedule = Staircase.model_validate(
        {
            "level": "condition",
            "harder": "lower",
            "tracks": tracks,
            "trials": trials,
            "reversals": reversals,
            "source_gap": shape.sources - 1,
            "blocked": blocked,
            "block_order": order,
        }
    )
    schedule.check(some)
    history, done = walked(schedule, some, answers)
    numbers = [choice.block for choice in done]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, prod(shape.factors[1:2]) + 1))
    values = {(choice.block, *(choice.levels[name] for name in blocked)) for choice in done}
    assert len(values) == len(set(numbers))
    assert all(schedule.find_block(some, choice.levels) == choice.block for choice in done)
    assert apart([choice.source for choice in done], schedule.source_gap)
    # The tracks are the same as without blocks, and so is the rule that moves them.
    mixed, _ = walked(schedule.replace(blocked=()), some, answers)
    assert {past.track for past in history} == {past.track for past in mixed}


def test_orders_of_blocked_tracks_are_balanced_over_participants() -> None:
    shape = Shape((4, 3), 4, (2,))
    schedule = Staircase(level="condition", harder="lower", trials=2, blocked=("f1",), block_order="latin")
    orders = []
    for number in range(1, 4):
        some = levelled(shape)
        some = replace(some, participant=Participant(f"{number:02}"))
        _, done = walked(schedule, some, [True])
        orders.append(list(dict.fromkeys(choice.levels["f1"] for choice in done)))
    assert all(len(set(position)) == 3 for position in zip(*orders, strict=True))


def walked(
    schedule: Schedule, some: Design, answers: Sequence[bool | None]
) -> tuple[list[TrialResult], list[TrialDecision]]:
    history: list[TrialResult] = []
    done: list[TrialDecision] = []
    while (choice := schedule.next(some, history)) is not None:
        done.append(choice)
        answer = answers[len(history) % len(answers)]
        history.append(TrialResult(choice.levels, choice.source, choice.track, answer))
    return history, done


@given(st.text("ABCxyz", min_size=1, max_size=8), st.text("ABCxyz", min_size=1, max_size=8))
@settings(max_examples=20)
def test_participants_without_a_number_have_lists_of_their_own(one: str, other: str) -> None:
    shape = Shape((2,), 4, (2, 2))
    schedule = Constant(repetitions=2)
    first, second = (schedule.list_decisions(shape.design(label)) for label in (one, other))
    assert (first == second) == (one == other)
    for order in ("latin", "williams"):
        refused = schedule.replace(block_order=order, blocked=("f0",))
        with pytest.raises(StimgenError, match="counterbalancing across participants needs a number"):
            refused.check(shape.design(one))
