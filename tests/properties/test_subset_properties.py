"""Triplets and quadruples: every item equally often, whatever number of them is shown."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimgen.experiment.design.decisions import Design, Participant, combine_factors
from stimgen.experiment.design.paradigms.item_subsets import list_subsets, split_items
from stimgen.experiment.design.paradigms.mlds import Mlds
from stimgen.experiment.design.paradigms.triplets import Triplets
from stimgen.experiment.design.schedules.constant import Constant
from stimgen.reading.errors import StimgenError

LETTERS = "abcdefghijklmnop"


@settings(max_examples=120)
@given(st.data())
def test_items_come_equally_often(data: st.DataObject) -> None:
    count, size = data.draw(st.integers(3, 14)), data.draw(st.integers(2, 4))
    items = LETTERS[: max(count, size)]
    total = math.comb(len(items), size)
    number = data.draw(st.integers(1, min(total, 120)) | st.none())
    seed = data.draw(st.integers(0, 1000))
    found = list_subsets(items, size, number, ("property", seed), "paradigm.number")
    assert len(found) == len(set(found)) == (total if number is None else number)
    assert all(list(one) == sorted(set(one)) and len(one) == size for one in found)
    counts = Counter(item for one in found for item in one)
    assert max(counts.values()) - min(counts[item] for item in items) <= 1
    assert found == list_subsets(items, size, number, ("property", seed), "paradigm.number")


@settings(max_examples=25)
@given(participant=st.integers(1, 99), repetitions=st.integers(1, 3), show=st.sampled_from([3, 5, 8]))
def test_all_orders_of_triplets_over_a_round_of_participants(
    participant: int, repetitions: int, show: int
) -> None:
    paradigm, schedule = Triplets(number=show), Constant(repetitions=repetitions, balance="across")
    first = (participant - 1) // 6 * 6
    places: Counter[tuple[str, int]] = Counter()
    orders: Counter[tuple[str, object]] = Counter()
    for label in range(first + 1, first + 7):
        design = Design(
            factors=paradigm.picture_factors(("one", "two"), ("key",)),
            sources=paradigm.list_sources(tuple("abcdef"), ("key",)),
            balanced=paradigm.balanced_factors("original-synthesis"),
            participant=Participant(f"{label:02}"),
            key=("property", 1),
        )
        schedule.check(design)
        for decision in schedule.list_decisions(design):
            made = paradigm.arrange(decision, "original-synthesis")
            for place, slot in enumerate(made.intervals[0]):
                places[str(slot.source), place] += 1
            orders[decision.source, decision.balanced["order"]] += 1
    assert len(set(orders.values())) == 1
    by_source = {source for source, _ in places}
    assert all(len({places[source, place] for place in range(3)}) == 1 for source in by_source)


def test_every_quadruple_with_every_order() -> None:
    paradigm = Mlds(number=6)
    (factor,) = paradigm.picture_factors(tuple("abcdefg"), ("key",))
    design = Design(
        factors=(factor,),
        sources=("x", "y"),
        balanced=paradigm.balanced_factors("original-synthesis"),
        participant=Participant("07"),
        key=("property", 1),
    )
    schedule = Constant(repetitions=2)
    schedule.check(design)
    counts = Counter(
        (one.levels["quadruple"], *one.balanced.values()) for one in schedule.list_decisions(design)
    )
    assert set(counts.values()) == {1}
    assert len(counts) == 6 * len(combine_factors(design.balanced))
    assert all(len(split_items(str(value))) == 4 for value in factor.values)


@pytest.mark.parametrize(
    ("items", "size", "number", "words"),
    [
        ("ab", 3, None, "only 2"),
        ("abcd", 3, 5, "only 4 different sets of 3"),
        ([str(i) for i in range(60)], 3, None, "34,220 different sets of 3"),
    ],
)
def test_impossible_lists(items: list[str], size: int, number: int | None, words: str) -> None:
    with pytest.raises(StimgenError, match=words):
        list_subsets(items, size, number, ("key",), "paradigm.number")
