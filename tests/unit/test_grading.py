"""Missed trials: what they count as, in scores, schedules and tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hand_made_experiment import write_experiment, write_its_set

from stimgen.cli.experiment_text import format_outcome
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.event_columns import event_columns
from stimgen.export.events import event_rows
from stimgen.export.journals.csv import trial_rows
from stimgen.export.sessions import read_session
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.session_outcome import SessionOutcome

MISSING = "instructions:\n", "simulated: {missing: 0.4}\ninstructions:\n"
WRONG = "responses:\n", "responses:\n  missed: wrong\n"
TEMPORAL = "  angles: [90, 210, 330]\n  eccentricity: 4\n", "  layout: temporal\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_its_set(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulate(folder: Path, *changes: tuple[str, str]) -> SessionOutcome:
    prepared = PreparedExperiment.prepare(load_experiment(write_experiment(folder, *changes)))
    return run_session(prepared, Participant("01"), RunOptions(observer="simulated", data=folder / "data"))


def list_main(recorded: RecordedSession) -> list[Any]:
    return [line for line in recorded.trials if not line.trial.practice]


def read_csv(folder: Path) -> Iterator[dict[str, str]]:
    (file,) = (folder / "data" / "csv").glob("*.csv")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        yield from csv.DictReader(stream)


def test_a_missed_trial_is_neither_correct_nor_wrong(folder: Path) -> None:
    outcome = simulate(folder, MISSING)
    lines = list_main(read_journal(outcome.journal))
    assert {line.correct for line in lines if line.outcome.answer is None} == {None}
    missed = sum(line.outcome.answer is None for line in lines)
    assert 0 < missed == outcome.missed == outcome.trials - outcome.graded
    assert f" correct of {outcome.graded} answered, {missed} missed" in format_outcome(outcome)
    rows = [row for row in read_csv(folder) if row["trials.thisN"]]
    assert {(row["missed"], row["key_resp.corr"] == "") for row in rows} == {("True", True), ("False", False)}


def test_or_it_is_wrong_where_the_experiment_says_so(folder: Path) -> None:
    outcome = simulate(folder, MISSING, WRONG)
    lines = list_main(read_journal(outcome.journal))
    assert {line.correct for line in lines if line.outcome.answer is None} == {False}
    assert outcome.graded == outcome.trials
    assert f" correct of {outcome.trials}, {outcome.missed} missed" in format_outcome(outcome)
    assert {row["key_resp.corr"] for row in read_csv(folder) if row["missed"] == "True"} == {"0"}


def test_without_missed_trials_the_line_is_short(folder: Path) -> None:
    assert format_outcome(simulate(folder)).endswith("% correct, complete")


def test_times_are_counted_from_the_last_pictures_too(folder: Path) -> None:
    """Three intervals of 200 ms with 500 ms between them: the last begins 1.4 s after the first."""
    session = read_session(simulate(folder, TEMPORAL).journal)
    for row in trial_rows(session):
        assert row["key_resp.rt"] - row["key_resp.rt_last"] == pytest.approx(1.4, abs=2e-6)
        assert row["key_resp.rt_last"] > 0.25
    answers = [row for row in event_rows(session.parts[0], lambda _: "") if row["event"] == "response"]
    assert [row["response_time_last"] for row in answers] == [
        row["key_resp.rt_last"] for row in trial_rows(session)
    ]
    assert {row["missed"] for row in answers} == {False}


def test_both_times_are_one_where_pictures_are_shown_together(folder: Path) -> None:
    for row in trial_rows(read_session(simulate(folder).journal)):
        assert row["key_resp.rt"] == row["key_resp.rt_last"]


NAMES = "paradigm:\n  name: naming\n  typed: true\n  names: {brick: wall, coffee: cup, gravel: path}\n"
TYPED = (
    ("paradigm:\n  name: oddity\n  angles: [90, 210, 330]\n  eccentricity: 4\n  oddball: original\n", NAMES),
    ('  keys: {"1": up, "2": left, "3": right}', "  window: 9000 ms"),
    ("repetitions: 3", "repetitions: 4"),
)


def test_a_typed_word_has_the_time_of_its_first_letter_and_not_knowing_is_an_answer(folder: Path) -> None:
    unknown = NAMES, NAMES + "  unknown: don't know\n  criterion: 0.7\n"
    outcome = simulate(folder, *TYPED, unknown)
    rows = [row for row in trial_rows(read_session(outcome.journal)) if row["trials.thisN"] is not None]
    unsure = [row for row in rows if row["response"] == "don't know"]
    assert 0 < len(unsure) < len(rows)
    for row in rows:
        assert (row["key_resp.keys"], row["missed"]) == ("return", False)
        if row in unsure:
            assert (row["key_resp.corr"], row["key_resp.rt_first_letter"]) == (0, None)
        else:
            assert row["key_resp.rt_first_letter"] == pytest.approx(row["key_resp.rt"] / 2, abs=1e-5)
    assert outcome.missed == 0
    assert outcome.graded == outcome.trials
    (part,) = read_session(outcome.journal).parts
    assert "first_letter_time" in [column.name for column in event_columns((part,))]
    times = [row["first_letter_time"] for row in event_rows(part, lambda _: "") if row["event"] == "response"]
    assert times[-len(rows) :] == [row["key_resp.rt_first_letter"] for row in rows]


@pytest.mark.parametrize(
    ("more", "message"),
    [("  criterion: 1\n", "criterion needs unknown"), ("  unknown: Path\n", "'Path' is also a name")],
)
def test_what_does_not_fit_the_names_is_refused(folder: Path, more: str, message: str) -> None:
    with pytest.raises(StimgenError, match=message):
        load_experiment(write_experiment(folder, *TYPED, (NAMES, NAMES + more)))
