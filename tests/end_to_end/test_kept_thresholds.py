"""Thresholds of adaptive schedules are kept in journals and tables, and trials without a signal move none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from bids_validator import validate_bids
from hand_made import Wanted, write_set

from stimgen.cli.experiment_text import format_outcome, format_trials
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import LoadedExperiment, load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.session_outcome import SessionOutcome
from stimgen.workflow.tabulate import write_tables
from stimgen.workflow.trials import list_trials

CONDITIONS = {"easy": 4.0, "middle": 2.0, "hard": 1.0}
NAMES = {source: f"name of {source}" for source in "abcd"}
ALONG_CONDITIONS = {"level": "condition", "harder": "lower", "values": CONDITIONS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set of four sources and three conditions."""
    made = tmp_path_factory.mktemp("thresholds")
    write_set(made / "set", Wanted(tuple("abcd"), tuple(CONDITIONS), (1, 3), array=False))
    return made


def load(folder: Path, name: str, **settings: Any) -> LoadedExperiment:
    said = {
        "name": name,
        "stimuli": {"sets": ["set"], "again": "same"},
        "display": {"pixels_per_degree": 10, "resolution": [60, 50], "background": 0.5},
        "timing": {"fixation": "0 ms", "stimulus": "200 ms", "between": "0 ms"},
    }
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps({**said, **settings}))
    return load_experiment(file)


def run(folder: Path, name: str, **settings: Any) -> tuple[SessionOutcome, RecordedSession]:
    prepared = PreparedExperiment.prepare(load(folder, name, **settings))
    ended = run_session(prepared, Participant("01"), RunOptions("simulated", data=folder / name))
    return ended, read_journal(ended.journal)


def read_table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if file.suffix == ".tsv" else ","))


def test_a_staircase_is_kept_with_its_reversals(folder: Path) -> None:
    ended, recorded = run(
        folder,
        "stairs",
        paradigm={"name": "two_afc"},
        timing={"stimulus": ["50 ms", "100 ms", "200 ms", "400 ms", "800 ms"], "fixation": "0 ms"},
        stimuli={"sets": ["set"], "again": "same", "conditions": ["easy"]},
        schedule={"name": "staircase", "level": "duration", "trials": 50},
        simulated={"psychometric": {"threshold": 200.0, "slope": 3.0}},
    )
    assert recorded.thresholds == ended.thresholds
    first = ended.thresholds[0]
    assert (first.unit, first.method, first.target) == ("ms", "geometric mean of reversals", "0.707 correct")
    marked = [
        line.trial.index
        for line in recorded.trials
        if line.trial.track == first.track and line.adaptive and line.adaptive.reversal
    ]
    assert marked == [one.trial for one in first.reversals]
    assert [not one.used for one in first.reversals[:2]] == [True, True]
    assert f"threshold duration {first.threshold:.4g} ms" in format_outcome(ended)
    # The tables have them, too.
    list(write_tables(folder / "stairs"))
    rows = read_table(folder / "stairs" / "csv" / "sub-01_ses-1_task-stairs_thresholds.csv")
    assert [float(row["threshold"]) for row in rows] == [one.threshold for one in ended.thresholds]
    assert rows[0]["reversal_trials"] == ";".join(map(str, marked))
    trials = read_table(folder / "stairs" / "csv" / "sub-01_ses-1_task-stairs.csv")
    turned = [row["trial_index"] for row in trials if row["reversal"] == "True"]
    assert sorted(turned) == sorted(str(one.trial) for two in ended.thresholds for one in two.reversals)
    beh = folder / "stairs" / "bids" / "sub-01" / "ses-1" / "beh"
    rows = read_table(beh / "sub-01_ses-1_task-stairs_beh.tsv")
    assert [float(row["threshold"]) for row in rows] == [one.threshold for one in ended.thresholds]
    assert set(rows[0]) < set(json.loads((beh / "sub-01_ses-1_task-stairs_beh.json").read_text()))


def test_a_table_of_thresholds_is_valid_bids(folder: Path) -> None:
    list(write_tables(folder / "stairs"))
    assert validate_bids(folder / "stairs" / "bids").errors == []


def test_questplus_keeps_its_posterior_and_the_criterion(folder: Path) -> None:
    ended, recorded = run(
        folder,
        "yes",
        paradigm={"name": "yes_no", "criterion": 0.5},
        schedule={"name": "questplus", "trials": 60, **ALONG_CONDITIONS},
        simulated={"dprime": {"easy": 4.0, "middle": 1.0, "hard": 0.25}},
    )
    (found,) = recorded.thresholds
    assert found.posterior is not None
    assert sum(found.posterior.probabilities) == pytest.approx(1, abs=1e-4)
    assert set(found.estimates) == {"slope", "criterion", "lapse"}
    assert found.threshold is not None
    assert 1.4 < found.threshold < 2.8
    assert (found.trials, found.counted + found.without_signal) == (60, 60)
    first, last = recorded.trials[0].adaptive, recorded.trials[-1].adaptive
    assert first is not None
    assert last is not None
    assert last.mean == found.posterior.mean
    assert last.entropy is not None
    assert first.entropy is not None
    assert last.entropy < first.entropy
    # Trials without a signal have no level, and the list of trials says so.
    for line in recorded.trials:
        assert (line.trial.number is None) == (line.trial.signal is False) == (line.trial.correct == "yes")
    text = format_trials(list_trials(load_experiment(folder / "yes.yaml"), Participant("01")))
    assert "Signal: no in trials whose correct answer does not depend on the level" in text
    assert ended.complete


def test_originals_do_not_move_a_staircase_of_naming(folder: Path) -> None:
    _, recorded = run(
        folder,
        "named",
        paradigm={"name": "naming", "names": NAMES},
        schedule={"name": "staircase", "trials": 40, "tracks": 1, **ALONG_CONDITIONS, "harder": "higher"},
        simulated={"psychometric": {"threshold": 2.0, "slope": -3.0}},
    )
    lines, moved = recorded.trials, 0
    for before, line in zip(lines, lines[1:], strict=False):
        if before.trial.signal is False:
            assert before.trial.number is None
            assert line.trial.levels == before.trial.levels
        moved += line.trial.levels != before.trial.levels
    assert moved > 2
    (found,) = recorded.thresholds
    assert found.without_signal == sum(line.trial.signal is False for line in lines) >= 15


def test_a_killed_session_has_no_thresholds_and_a_track_at_an_end_has_none(folder: Path) -> None:
    settings: dict[str, Any] = {
        "paradigm": {"name": "two_afc"},
        "schedule": {"name": "staircase", "tracks": 1, "trials": 12, **ALONG_CONDITIONS},
        "simulated": {"psychometric": {"threshold": 1e-3}},
    }
    prepared = PreparedExperiment.prepare(load(folder, "killed", **settings))
    options = RunOptions("simulated", data=folder / "killed")

    def interrupt(answered: Any) -> None:
        if answered.trial.index == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_session(prepared, Participant("01"), options, interrupt)
    file = next((folder / "killed" / "journals").iterdir())
    assert read_journal(file).thresholds == ()
    options = RunOptions("simulated", data=folder / "killed", resume=True)
    ended = run_session(prepared, Participant("01"), options)
    (found,) = read_journal(file).thresholds
    assert found.threshold is None
    assert "no threshold after 12 trials: the track was pinned at the hardest level, 1" in format_outcome(
        ended
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"name": "staircase"},
            "a staircase cannot measure yes_no: it would follow the observer's",
        ),
        ({"name": "questplus", "form": "weibull"}, "which in yes_no depends on the observer's criterion"),
        ({"name": "questplus", "guess": [0.5]}, "schedule.guess has no effect"),
        ({"name": "questplus", "values": {"easy": 1, "middle": 0, "hard": -1}}, "levels above zero"),
        ({"name": "questplus", "harder": None}, "write harder: lower, or harder: higher"),
    ],
)
def test_what_a_criterion_would_spoil_is_refused(folder: Path, said: dict[str, Any], message: str) -> None:
    with pytest.raises(StimgenError) as refused:
        run(folder, "refused", paradigm={"name": "yes_no"}, schedule={**ALONG_CONDITIONS, **said})
    assert message in str(refused.value)
    assert "refused.yaml:1" in str(refused.value)


def test_tracks_of_a_condition_may_run_in_one_block(folder: Path) -> None:
    settings: dict[str, Any] = {
        "paradigm": {"name": "two_afc"},
        "timing": {"stimulus": ["50 ms", "100 ms", "200 ms", "400 ms"], "fixation": "0 ms"},
        "schedule": {"name": "staircase", "level": "duration", "trials": 8, "blocked": "condition"},
        "practice": {"trials": 2, "sources": ["d"], "before": "block"},
    }
    _, recorded = run(folder, "blocked", **settings)
    main = [line.trial for line in recorded.trials if not line.trial.practice]
    assert [trial.block for trial in main] == [1] * 16 + [2] * 16 + [3] * 16
    assert all(len({t.levels["condition"] for t in main[i : i + 16]}) == 1 for i in (0, 16, 32))
    # Practice comes before every block, with its condition; and what came is among the candidates.
    assert sum(line.trial.practice for line in recorded.trials) == 6
    listed = list_trials(load_experiment(folder / "blocked.yaml"), Participant("01"))
    for number, trial in enumerate(main):
        said = trial.to_dict() | {"track": None, "index": 2 + number + 1}
        assert said in listed["candidates"][number]


def test_the_factor_of_the_level_cannot_be_blocked(folder: Path) -> None:
    for blocked, message in (("duration", "tracks move along it"), ("conditoin", "'conditoin'")):
        with pytest.raises(StimgenError, match=message):
            run(
                folder,
                "refused",
                paradigm={"name": "two_afc"},
                timing={"stimulus": ["50 ms", "100 ms"]},
                schedule={"name": "staircase", "level": "duration", "blocked": blocked},
            )


def test_dprime_is_for_tasks_with_a_criterion(folder: Path) -> None:
    with pytest.raises(StimgenError, match="form: dprime is for tasks with a criterion"):
        run(
            folder,
            "refused",
            paradigm={"name": "two_afc"},
            schedule={"name": "questplus", "form": "dprime", **ALONG_CONDITIONS},
        )
