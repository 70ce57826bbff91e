"""Sets that hold the same sources, conditions and seeds are told apart by their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made import Wanted, write_set
from hand_made_experiment import CONDITIONS, HEIGHT, SEEDS, SOURCES, WIDTH, write_experiment

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.group_selection import select_group
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment

Room = Callable[..., PreparedExperiment]
LABELS = ("  sets: [set]\n", "  sets: [one, two]\n  labels: [early, late]\n")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_set(folder / "one", Wanted(SOURCES, CONDITIONS, SEEDS, (WIDTH, HEIGHT), array=False))
    write_set(folder / "two", Wanted(SOURCES, CONDITIONS, (1, 3), (WIDTH, HEIGHT), array=False))
    return folder


@pytest.fixture
def room(home: Path, tmp_path: Path) -> Room:
    def made(*changes: tuple[str, str], sets: tuple[str, ...] = ("one", "two")) -> PreparedExperiment:
        loaded = load_experiment(write_experiment(tmp_path, *changes))
        return PreparedExperiment.prepare(loaded, tuple(home / name for name in sets))

    return made


def test_the_set_is_a_factor_and_all_pictures_of_a_trial_are_from_it(room: Room) -> None:
    found = list_planned_trials(room(LABELS).build_procedure(Participant("01")))
    main = [trial for trial in found if not trial.practice]
    assert Counter((trial.levels["set"], trial.levels["condition"], trial.source) for trial in main) == {
        (label, condition, source): 3
        for label in ("early", "late")
        for condition in CONDITIONS
        for source in ("brick", "coffee")
    }
    for trial in found:
        index = ("early", "late").index(str(trial.levels["set"]))
        assert {shown.set for phase in trial.stimuli for shown in phase.shown} == {index}


def test_masks_are_from_the_set_of_the_trial(room: Room) -> None:
    mask = ("  stimulus: 200 ms\n", "  stimulus: 200 ms\n  mask: {name: texture, condition: fine}\n")
    made = room(LABELS, ("  conditions: [fine, coarse]\n", "  conditions: [coarse]\n"), mask)
    for trial in list_planned_trials(made.build_procedure(Participant("01"))):
        index = ("early", "late").index(str(trial.levels["set"]))
        assert {cover.picture.set for cover in trial.phases[-1].covers} == {index}


def test_every_set_has_blocks_of_its_own(room: Room) -> None:
    blocked = ("  repetitions: 3\n", "  repetitions: 3\n  blocked: set\n")
    found = list_planned_trials(room(LABELS, blocked).build_procedure(Participant("01")))
    blocks = {(trial.block, trial.levels["set"]) for trial in found if not trial.practice}
    assert len(blocks) == 2


def test_a_group_keeps_the_labels_of_its_sets(room: Room) -> None:
    groups = ("name: e\n", "name: e\ngroups:\n  both: {}\n  one: {sets: two}\n")
    loaded = room(LABELS, groups).loaded
    labels = [select_group(loaded, name).experiment.stimuli.labels for name in ("both", "one")]
    assert labels == [("early", "late"), ("late",)]


@pytest.mark.parametrize(
    ("labels", "seeds", "sets", "said"),
    [
        ("", "[1, 3]", ("one", "two"), ("two sets have", "stimuli.labels")),
        ("  labels: [early]\n", "[1, 3]", ("one", "two"), ("2 sets, but 1 labels", "one label for each")),
        ("  labels: [early, early]\n", "[1, 3]", ("one", "two"), ("stimuli.labels", "named twice")),
        ("  labels: [early, late]\n", "[1, 3]", ("one",), ("stimuli.labels names 2 sets, but 1",)),
        ("  labels: [early, late]\n", "[5]", ("one", "two"), ("no stimulus of condition 'fine'", "'late'")),
    ],
)
def test_sets_that_cannot_be_told_apart_are_refused(
    room: Room, labels: str, seeds: str, sets: tuple[str, ...], said: tuple[str, ...]
) -> None:
    changes = ((LABELS[0], f"  sets: [one, two]\n{labels}"), ("  seeds: [1, 3]", f"  seeds: {seeds}"))
    with pytest.raises(StimgenError) as error:
        room(*changes, sets=sets)
    assert all(part in str(error.value) for part in said), str(error.value)
