"""What groups promise, whatever the labels of participants."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.group_selection import assign_group
from stimgen.experiment.schema.groups import GroupSettings, list_group_labels
from stimgen.reading.errors import StimgenError

NAMES = ("a", "b", "c", "d")


@given(st.integers(2, 4), st.integers(1, 6), st.integers(0, 50))
def test_participants_are_dealt_out_evenly(groups: int, each: int, lap: int) -> None:
    settings = {name: GroupSettings() for name in NAMES[:groups]}
    labels = list_group_labels(settings, (lap + each) * groups)[lap * groups :]
    placed = [assign_group(settings, Participant(label)) for label in labels]
    assert set(Counter(name for name, _ in placed).values()) == {each}
    # Numbers in a group rise by one, so that everything is counterbalanced within it.
    for name in settings:
        own = [participant.number for group, participant in placed if group == name]
        assert own == list(range(lap + 1, lap + each + 1))


@given(st.lists(st.integers(0, 5), min_size=2, max_size=4), st.integers(1, 20))
def test_labels_to_come_belong_to_the_groups_in_turn(listed: list[int], count: int) -> None:
    settings = {
        name: GroupSettings(participants=(*(f"{name}x{i}y" for i in range(number)), f"{name.upper()}*"))
        for name, number in zip(NAMES, listed, strict=False)
    }
    labels = list_group_labels(settings, count)
    assert len(set(labels)) == count
    found = [assign_group(settings, Participant(label))[0] for label in labels]
    assert found == [NAMES[i % len(listed)] for i in range(count)]


@given(st.lists(st.sampled_from(["k", "k7", "z01", "w3"]), min_size=1, unique=True))
def test_listed_labels_have_their_place_as_number(labels: list[str]) -> None:
    settings = {"a": GroupSettings(participants=tuple(labels)), "b": GroupSettings(participants=("B*",))}
    for place, label in enumerate(labels, 1):
        group, participant = assign_group(settings, Participant(label))
        assert (group, participant.number, participant.label) == ("a", place, label)
    with pytest.raises(StimgenError, match="belongs to no group"):
        assign_group(settings, Participant("nobody"))
