"""What rotated sources and repeated blocks promise, for designs of any shape."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimgen.experiment.design.decisions import Design, Factor, Participant, TrialDecision
from stimgen.experiment.design.schedules.constant import Constant
from stimgen.experiment.design.schedules.rotation import list_cell_sizes
from stimgen.reading.errors import StimgenError

SOURCES = "abcdefghijkl"


@dataclass(frozen=True)
class Plan:
    """A design of random shape with a schedule that can follow it."""

    factors: tuple[int, ...]
    sources: int
    balanced: tuple[int, ...]
    schedule: Constant

    def list_trials(self, participant: int) -> tuple[TrialDecision, ...]:
        design = self.design(participant)
        self.schedule.check(design)
        return self.schedule.list_decisions(design)

    def design(self, participant: int) -> Design:
        return Design(
            factors=tuple(Factor(f"f{i}", tuple(range(n))) for i, n in enumerate(self.factors)),
            sources=tuple(SOURCES[: self.sources]),
            balanced=tuple(Factor(f"b{i}", tuple(range(n))) for i, n in enumerate(self.balanced)),
            participant=Participant(f"{participant:02}"),
            key=("experiment", "random", 1),
        )

    @property
    def rotated_cells(self) -> int:
        return prod(n for i, n in enumerate(self.factors) if f"f{i}" in self.schedule.rotated)


@st.composite
def plans(draw: st.DrawFn, *, blocks: int = 3) -> Plan:
    """Return a plan with rotated factors or without, in one block or in several."""
    factors = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    names = [f"f{i}" for i in range(len(factors))]
    rotated = tuple(draw(st.lists(st.sampled_from(names), unique=True)))
    cells = prod(n for i, n in enumerate(factors) if f"f{i}" in rotated)
    sources = draw(st.integers(cells, min(12, 3 * cells + 1)))
    balanced = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    times = draw(st.integers(1, blocks))
    balance = draw(st.sampled_from(["within", "across"]))
    plan = Plan(factors, sources, balanced, Constant())
    sizes = list_cell_sizes(plan.design(1), rotated)
    repetitions = next(
        n
        for n in range(times * draw(st.integers(1, 2)), 1000, times)
        if balance == "across" or not any(one * n % prod(balanced) for one in sizes)
    )
    schedule = Constant(
        repetitions=repetitions,
        rotated=rotated,
        blocks=times,
        blocked=tuple(draw(st.lists(st.sampled_from(names), unique=True))),
        block_order=draw(st.sampled_from(["random", "fixed", "latin", "williams"])),
        balance=balance,
    )
    return Plan(factors, sources, balanced, schedule)


def cell(trial: TrialDecision) -> tuple[object, ...]:
    return tuple(trial.levels.values())


def combination(trial: TrialDecision) -> tuple[object, ...]:
    return tuple(trial.balanced.values())


def part(trial: TrialDecision, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(value for name, value in trial.levels.items() if name in names)


def spread(counted: Counter[object], possible: int) -> int:
    """Return by how much the most frequent of `possible` things outnumbers the least frequent."""
    return max(counted.values()) - (min(counted.values()) if len(counted) == possible else 0)


def check_participant(plan: Plan, participant: int) -> None:
    """Check what every single participant is promised."""
    schedule, found = plan.schedule, plan.list_trials(participant)
    others = prod(plan.factors) // plan.rotated_cells
    assert len(found) == plan.sources * others * schedule.repetitions
    # Every source is in one rotated cell only, and in each as often as in the others.
    homes: dict[str, set[object]] = {}
    for trial in found:
        homes.setdefault(trial.source, set()).add(part(trial, schedule.rotated))
    assert all(len(home) == 1 for home in homes.values())
    assert set(Counter((trial.source, cell(trial)) for trial in found).values()) == {schedule.repetitions}
    sizes = Counter(home for one in homes.values() for home in one)
    assert set(sizes.values()) <= set(list_cell_sizes(plan.design(1), schedule.rotated))
    assert len(sizes) == plan.rotated_cells
    # Every block has what belongs into it, and in equal numbers.
    blocks = schedule.blocks * prod(n for i, n in enumerate(plan.factors) if f"f{i}" in schedule.blocked)
    numbers = [trial.block for trial in found]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, blocks + 1))
    at_once = schedule.repetitions // schedule.blocks
    per_block = Counter((trial.block, trial.source, cell(trial)) for trial in found)
    assert set(per_block.values()) == {at_once}
    for number in range(1, blocks + 1):
        assert len({part(trial, schedule.blocked) for trial in found if trial.block == number}) == 1
    # Balanced factors, in cells and in those of each block.
    count = prod(plan.balanced)
    for level in {cell(trial) for trial in found}:
        own = [trial for trial in found if cell(trial) == level]
        within = spread(Counter(map(combination, own)), count)
        assert within == 0 if schedule.balance == "within" else within <= schedule.blocks
        for number in {trial.block for trial in own}:
            here = Counter(combination(trial) for trial in own if trial.block == number)
            assert spread(here, count) <= 1


def check_round(plan: Plan, lap: int) -> None:
    """Check what a round of participants is promised."""
    cells, count = plan.rotated_cells, prod(plan.balanced)
    lists = [plan.list_trials(lap * cells + i) for i in range(1, cells + 1)]
    pairs = Counter((trial.source, cell(trial)) for one in lists for trial in one)
    assert set(pairs.values()) == {plan.schedule.repetitions}
    assert len(pairs) == plan.sources * prod(plan.factors)
    size = cells * count
    lists = [plan.list_trials(lap * size + i) for i in range(1, size + 1)]
    triples = Counter((trial.source, cell(trial), combination(trial)) for one in lists for trial in one)
    assert len(triples) == plan.sources * prod(plan.factors) * count
    assert set(triples.values()) == {plan.schedule.repetitions}


@settings(max_examples=60)
@given(plans(), st.integers(1, 200))
def test_a_participant_sees_each_source_in_one_rotated_cell(plan: Plan, participant: int) -> None:
    check_participant(plan, participant)


@settings(max_examples=30)
@given(plans(), st.integers(0, 3))
def test_a_round_of_participants_is_a_latin_square(plan: Plan, lap: int) -> None:
    check_round(plan, lap)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(plans(blocks=4), st.integers(1, 10_000))
def test_ten_thousand_lists_are_balanced(plan: Plan, participant: int) -> None:
    check_participant(plan, participant)


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@given(plans(blocks=4), st.integers(0, 20))
def test_a_thousand_rounds_are_latin_squares(plan: Plan, lap: int) -> None:
    check_round(plan, lap)


@settings(max_examples=30)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2))
def test_rows_orders_and_keys_meet_equally_often(rotated: int, blocked: int, rounds: int, lap: int) -> None:
    schedule = Constant(
        rotated=("f0",), blocked=("f1",), block_order="latin", blocks=rounds, repetitions=rounds
    )
    plan = Plan((rotated, blocked), 6, (1,), schedule)
    size = 2 * rotated * blocked
    found = Counter[object]()
    for participant in range(lap * size + 1, (lap + 1) * size + 1):
        trials = plan.list_trials(participant)
        home = next(trial.levels["f0"] for trial in trials if trial.source == "a")
        found[home, trials[0].levels["f1"], participant % 2] += 1
    assert len(found) == size
    assert set(found.values()) == {1}


@settings(max_examples=60)
@given(plans(), st.integers(1, 20), st.integers(0, 12))
def test_rotated_sources_keep_their_gap_or_are_refused(plan: Plan, participant: int, gap: int) -> None:
    wide = Plan(plan.factors, plan.sources, plan.balanced, plan.schedule.replace(source_gap=gap))
    try:
        found = [trial.source for trial in wide.list_trials(participant)]
    except StimgenError as refused:
        largest = int(str(refused.hint).rsplit(" ", 1)[1])
        assert largest < gap
        wide = Plan(plan.factors, plan.sources, plan.balanced, plan.schedule.replace(source_gap=largest))
        found, gap = [trial.source for trial in wide.list_trials(participant)], largest
    assert all(source not in found[max(0, i - gap) : i] for i, source in enumerate(found))


def test_blocks_follow_a_list() -> None:
    schedule = Constant(blocked=("f0",), blocks=2, repetitions=2, block_list=(0, 1, 1, 0))
    found = Plan((2,), 3, (1,), schedule).list_trials(1)
    assert [trial.levels["f0"] for trial in found] == [0] * 3 + [1] * 6 + [0] * 3
    assert [trial.block for trial in found] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3


@pytest.mark.parametrize(
    ("changes", "said", "mended"),
    [
        ({"rotated": ("f1",)}, "schedule.rotated: there is no factor 'f1'", None),
        ({"rotated": ("f0",)}, "2 sources cannot be dealt out to 3 cells", "at least 3 sources"),
        (
            {"blocks": 2, "repetitions": 3},
            "3 repetitions cannot be dealt out to 2 equal blocks",
            "multiple of 2",
        ),
        ({"block_list": (1, 2)}, "schedule.blocked names none", None),
        ({"blocked": ("f0",), "block_list": (0, 1, 1)}, "has 2 0 times|has '1' 2 times", None),
        ({"blocked": ("f0",), "block_list": (0, 1, 7)}, "f0 has no value '7'", None),
    ],
)
def test_what_cannot_be_rotated_or_blocked_is_refused(
    changes: dict[str, object], said: str, mended: str | None
) -> None:
    with pytest.raises(StimgenError, match=said) as refused:
        Plan((3,), 2, (1,), Constant().replace(**changes)).list_trials(1)
    assert mended is None or mended in str(refused.value.hint)


def test_a_participant_without_a_number_is_refused() -> None:
    design = replace(Plan((2,), 2, (1,), Constant()).design(1), participant=Participant("anna"))
    with pytest.raises(StimgenError, match="needs a number at the end"):
        Constant(rotated=("f0",)).check(design)
