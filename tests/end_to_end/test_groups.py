"""Groups of participants see conditions, sources, sets or orders of their own: lists, journals, tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hand_made import Wanted, write_set
from hand_made_experiment import CONDITIONS, HEIGHT, SEEDS, WIDTH, write_experiment

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import LoadedExperiment, load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.balance import count_trials
from stimgen.workflow.freeze import StudyOptions, check_study, freeze_study
from stimgen.workflow.replay import replay_trial
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study
from stimgen.workflow.tabulate import write_tables
from stimgen.workflow.trials import list_trials

SOURCES = ("brick", "coffee", "wood", "leaves", "gravel")
MORE = ("sources: [brick, coffee]", "sources: [brick, coffee, wood, leaves]")
BLOCKED = ("  repetitions: 3\n", "  repetitions: 3\n  blocked: condition\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two sets: the second has the same sources and conditions."""
    made = tmp_path_factory.mktemp("groups")
    for name, seeds in (("set", SEEDS), ("other", (7, 9))):
        write_set(made / name, Wanted(SOURCES, CONDITIONS, seeds, (WIDTH, HEIGHT), array=False))
    return made


def load(folder: Path, groups: str, *changes: tuple[str, str]) -> LoadedExperiment:
    added = ("practice:\n", f"notes: Nobody is left out.\ngroups: {groups}\npractice:\n")
    return load_experiment(write_experiment(folder, MORE, added, *changes))


def see(loaded: LoadedExperiment, label: str) -> tuple[set[object], set[str]]:
    """Return the conditions and sources that a participant sees."""
    trials = [trial for trial in list_trials(loaded, Participant(label))["trials"] if not trial["practice"]]
    return {trial["levels"]["condition"] for trial in trials}, {trial["source"] for trial in trials}


def test_participants_are_dealt_out_in_turn(folder: Path) -> None:
    loaded = load(folder, "{near: {conditions: fine}, far: {conditions: coarse, sources: [wood]}}")
    assert see(loaded, "01") == see(loaded, "03") == ({"fine"}, {"brick", "coffee", "wood", "leaves"})
    assert see(loaded, "02") == see(loaded, "p4") == ({"coarse"}, {"wood"})
    with pytest.raises(StimgenError, match="dealt out to groups by the number"):
        see(loaded, "anna")


def test_rotation_and_keys_go_on_within_each_group(folder: Path) -> None:
    rotated = ("  repetitions: 3\n", "  repetitions: 3\n  rotated: condition\n  balance: across\n")
    task = ("  name: oddity\n", "  name: same_different\n  layout: temporal\n")
    rest = [
        ("  angles: [90, 210, 330]\n  eccentricity: 4\n  oddball: original\n", ""),
        ('  keys: {"1": up, "2": left, "3": right}\n', "  swap: true\n"),
    ]
    loaded = load(folder, "{a: {}, b: {}}", rotated, task, *rest)
    counted = count_trials(loaded, 16)
    assert [group["participants"][:2] for group in counted["groups"]] == [["01", "03"], ["02", "04"]]
    for group in counted["groups"]:
        balance = {one["what"]: one for one in group["balance"]}
        assert "assignments of keys with sources in cells" in balance
        assert all(one["exact"] for one in balance.values()), balance
        assert all(sorted(row) == [0, 3] for row in group["each"].values())


def test_a_group_has_a_labelled_set(folder: Path) -> None:
    labelled = ("sets: [set]", "sets: [set, other]\n  labels: [old, new]")
    loaded = load(folder, "{a: {sets: other}, b: {}}", labelled, ("seeds: [1, 3]", "seeds: []"))
    trials = [list_trials(loaded, Participant(label))["trials"] for label in ("01", "02")]
    seeds = [
        {shown["seed"] for trial in one for phase in trial["phases"] for shown in phase["shown"]} - {None}
        for one in trials
    ]
    assert seeds == [{7, 9}, {1, 3, 5, 7, 9}]
    assert {trial["levels"]["set"] for trial in trials[1]} == {"old", "new"}


def test_labels_and_patterns_assign_groups_and_orders(folder: Path) -> None:
    orders = "{a: {participants: [anna, bert], block_list: [fine, coarse]}, b: {participants: 'B*', %s}}"
    loaded = load(folder, orders % "block_list: [coarse, fine]", BLOCKED)
    for label, first in (("anna", "fine"), ("bert", "fine"), ("B1", "coarse"), ("Bx", "coarse")):
        trials = list_trials(loaded, Participant(label))["trials"]
        assert next(one for one in trials if not one["practice"])["levels"]["condition"] == first
    with pytest.raises(StimgenError, match="'Carl' belongs to no group") as refused:
        see(loaded, "Carl")
    assert refused.value.allowed == ("anna", "bert", "B*")
    assert refused.value.where is not None
    with pytest.raises(StimgenError, match="names too few participants: 2"):
        count_trials(loaded, 6)
    twice = load(folder, "{a: {participants: '*1'}, b: {participants: 'B*'}}")
    with pytest.raises(StimgenError, match="belongs to several groups: a, b"):
        see(twice, "B1")


@pytest.fixture(scope="module")
def ran(folder: Path) -> tuple[LoadedExperiment, Path]:
    """Run a study in which each group has a set of its own; return it and its data."""
    loaded = load(
        folder,
        "{old: {sets: set, conditions: [fine]}, new: {sets: other}}",
        ("[set]", "[set, other]"),
        ("seeds: [1, 3]", "seeds: []"),
    )
    data = folder / "data"
    list(run_study(loaded, SessionId(None, "1"), 4, RunOptions(observer="simulated", data=data)))
    return loaded, data


def test_the_journal_has_the_group_and_its_set(ran: tuple[LoadedExperiment, Path]) -> None:
    _, data = ran
    found = {}
    for journal in DataFolder(data).journals():
        session = read_journal(journal.file)
        shown = [one for line in session.trials for phase in line.trial.phases for one in phase.shown]
        seeds = {one.seed for one in shown} - {None}
        found[journal.participant] = (session.header.group, [one.name for one in session.header.sets], seeds)
    assert found["01"] == found["03"] == ("old", ["set"], {1, 3, 5})
    assert found["02"] == found["04"] == ("new", ["other"], {7, 9})


def test_frames_are_drawn_again(ran: tuple[LoadedExperiment, Path], folder: Path, tmp_path: Path) -> None:
    _, data = ran
    for label, name in (("01", "set"), ("02", "other")):
        journal = data / f"journals/sub-{label}_ses-1_task-e.jsonl"
        assert replay_trial(journal, 3, (folder / name,), tmp_path / label).agrees


def test_an_interrupted_session_is_resumed(ran: tuple[LoadedExperiment, Path], tmp_path: Path) -> None:
    loaded, data = ran
    whole = data / "journals/sub-02_ses-1_task-e.jsonl"
    (tmp_path / "journals").mkdir()
    cut = tmp_path / "journals" / whole.name
    cut.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:6]))
    options = RunOptions(observer="simulated", data=tmp_path, resume=True)
    (outcome,) = run_study(loaded, SessionId("02", "1"), None, options)
    assert outcome.complete
    assert [one.trial for one in read_journal(cut).trials] == [
        one.trial for one in read_journal(whole).trials
    ]


def test_tables_have_the_group(ran: tuple[LoadedExperiment, Path]) -> None:
    _, data = ran
    list(write_tables(data))
    with (data / "bids/participants.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["group"] for row in rows] == ["old", "new", "old", "new"]
    with (data / "csv/sub-02_ses-1_task-e.csv").open(encoding="utf-8-sig") as stream:
        assert {row["group"] for row in csv.DictReader(stream)} == {"new"}


def test_a_frozen_study_knows_the_groups(ran: tuple[LoadedExperiment, Path], tmp_path: Path) -> None:
    loaded, data = ran
    study = freeze_study(loaded, StudyOptions(4), tmp_path / "study.zip")
    assert study.groups == {"01": "old", "02": "new", "03": "old", "04": "new"}
    assert [one.name for one in study.sets] == ["set", "other"]
    assert check_study(tmp_path / "study.zip", data).as_planned


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("{a: {}}", "a single group is no group"),
        ("{a: {participants: A1}, b: {}}", "'a' names its participants, but 'b' does not"),
        ("{a: {sources: [brik]}, b: {}}", "groups.a.sources: 'brik' is not among stimuli.sources"),
        ("{a: {sets: old}, b: {}}", "groups.a.sets: 'old' is not among stimuli.sets"),
        ("{a: {conditons: fine}, b: {}}", "unknown key 'conditons'"),
        ("{a: {participants: 'A 1'}, b: {participants: B}}", "should match pattern"),
        (
            "{a: {}, b: {}}\nparticipant: {form: [group]}",
            "form asks for the group",
        ),
        ("{a: {block_list: [fine]}, b: {}}", "schedule.blocked names none"),
    ],
)
def test_what_groups_cannot_be_is_refused(folder: Path, groups: str, said: str) -> None:
    with pytest.raises(StimgenError, match=said) as refused:
        see(load(folder, groups), "01")
    assert refused.value.where is not None


def test_a_group_of_an_adaptive_schedule_has_levels_of_its_own(folder: Path) -> None:
    constant = "schedule:\n  name: constant\n  repetitions: 3\n"
    level = "level: condition, values: {fine: 1, coarse: 2}, harder: lower"
    adaptive = f"schedule: {{name: staircase, {level}, trials: 4}}\n"
    loaded = load(folder, "{a: {sources: brick}, b: {conditions: [coarse, fine]}}", (constant, adaptive))
    listed = list_trials(loaded, Participant("01"))
    assert {trial["source"] for some in listed["candidates"] for trial in some} == {"brick"}
    with pytest.raises(StimgenError, match="the schedule is adaptive"):
        count_trials(loaded, 2)
    with pytest.raises(StimgenError, match="the schedule 'staircase' has no block_list"):
        load(folder, "{a: {block_list: [fine]}, b: {}}", (constant, adaptive))
