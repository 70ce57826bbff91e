"""Data of our own and of others become one table of trials, and mistakes are named with their row."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimgen.analysis.columns import TRIAL_COLUMNS
from stimgen.analysis.read import read_trials
from stimgen.analysis.settings import AnalysisSettings, load_settings
from stimgen.analysis.trial_table import TrialTable
from stimgen.reading.errors import StimgenError

MADE_BEFORE = Path(__file__).resolve().parents[1] / "made_before"
ROWS = """\
subject;model;rt;oddball;correct
a;conv1;350.5;1;1
a;conv2;400;2;0
b;conv1;NA;3;
b;conv10;512;1;true
"""
SETTINGS = AnalysisSettings(
    columns={"condition": "model"}, task="forced_choice", alternatives=4, response_time_unit="ms"
)


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def read(folder: Path, text: str, settings: AnalysisSettings = SETTINGS) -> TrialTable:
    return read_trials([write(folder, text)], settings)


def test_a_table_of_others(tmp_path: Path) -> None:
    table = read(tmp_path, ROWS)
    frame = table.frame
    assert list(frame.columns) == list(TRIAL_COLUMNS)
    assert frame["participant"].tolist() == ["a", "a", "b", "b"]
    assert frame["correct"].fillna(-1).tolist() == [1, 0, -1, 1]
    assert frame["missed"].tolist() == [False, False, True, False]
    assert frame["response_time"].fillna(-1).round(4).tolist() == [0.3505, 0.4, -1, 0.512]
    assert frame["row"].tolist() == [2, 3, 4, 5]
    assert frame["trial"].tolist() == [1, 2, 1, 2]
    assert table.factors == ("condition",)
    assert table.chance == 0.25
    assert any("'subject' is taken for participant" in note for note in table.notes)


def test_answers_are_graded_where_the_data_do_not(tmp_path: Path) -> None:
    text = "participant\tresponse\tcorrect_response\n1\tleft\tleft\n1\tright\tleft\n1\t\tleft\n"
    frame = read(tmp_path, text, AnalysisSettings()).frame
    assert frame["correct"].fillna(-1).tolist() == [1, 0, -1]
    assert frame["missed"].tolist() == [False, False, True]


def test_a_missed_trial_that_was_graded_as_wrong_is_missed(tmp_path: Path) -> None:
    text = "participant,response,correct\n1,2,1\n1,,0\n"
    assert read(tmp_path, text, AnalysisSettings()).eligible["missed"].tolist() == [False, True]
    assert len(read(tmp_path, text, AnalysisSettings()).counted) == 1


@pytest.mark.parametrize(
    ("text", "settings", "says"),
    [
        (ROWS.replace("true", "perhaps"), SETTINGS, "data.csv:5: correct: 'perhaps'"),
        (ROWS.replace("350.5", "-1"), SETTINGS, "data.csv:2: rt: '-1' is a negative time"),
        (ROWS.replace("400", "fast"), SETTINGS, "data.csv:3: rt: 'fast' is not a number"),
        (ROWS.replace("b;conv10", ";conv10"), SETTINGS, "data.csv:5: subject: '' is no label"),
        (ROWS, SETTINGS.replace(columns={"condition": "modle"}), "did you mean 'model'"),
        (ROWS.replace("subject", "who"), SETTINGS, "--column participant=NAME"),
        (ROWS.replace("correct", "score"), SETTINGS, "--column correct=NAME"),
        (ROWS.replace("a;conv2;400", "a;conv2;9999999"), SETTINGS, "longer than an hour"),
        (ROWS + "c;conv1\n", SETTINGS, "data.csv:6: has 2 values"),
        (ROWS.replace("rt", "model"), SETTINGS, "'model' appears twice"),
        ("", SETTINGS, "the first line must name the columns"),
        (ROWS, SETTINGS.replace(by=("viewing",)), "no factor 'viewing'"),
    ],
)
def test_mistakes_in_tables_are_named_with_their_row(
    tmp_path: Path, text: str, settings: AnalysisSettings, says: str
) -> None:
    with pytest.raises(StimgenError) as caught:
        read(tmp_path, text, settings)
    assert says in str(caught.value)


def test_a_trial_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    text = "participant,session,trial,correct,rt\n1,1,7,1,0.5\n1,2,7,0,0.6\n1,2,7,0,0.6\n"
    with pytest.raises(StimgenError, match="line 4: trial 7 of participant 1, session 2, occurs twice"):
        read_trials([write(tmp_path, text)])
    first = write(tmp_path, text.replace("1,2,7,0,0.6\n1", "1"))
    with pytest.raises(StimgenError, match="occurs twice"):
        read_trials([first, write(tmp_path, first.read_text(), "copy.csv")])


def test_trials_whose_numbers_begin_again_are_numbered_by_their_order(tmp_path: Path) -> None:
    text = "participant,trial,correct,rt\n1,1,1,0.5\n1,2,0,0.6\n1,1,1,0.7\n2,1,1,0.5\n"
    table = read_trials([write(tmp_path, text)])
    assert table.frame["trial"].tolist() == [1, 2, 3, 1]
    assert "begin again" in table.notes[-1]


def test_decimal_commas_are_read_where_semicolons_separate_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "participant;rt;correct\n1;0,485;TRUE\n1;1,5;FALSE\n", AnalysisSettings())
    assert table.frame["response_time"].tolist() == [0.485, 1.5]
    assert table.frame["correct"].tolist() == [1, 0]


def test_people_and_computed_observers_are_never_pooled(tmp_path: Path) -> None:
    text = "participant,observer,correct\n1,person,1\n2,simulated,0\n"
    with pytest.raises(StimgenError, match="never pooled: 1 of person, 1 of simulated"):
        read(tmp_path, text, AnalysisSettings())
    kept = read(tmp_path, text, AnalysisSettings(observer="person"))
    assert kept.frame["participant"].tolist() == ["1"]
    assert "other observers were left out: 1." in kept.notes[-1]


def test_journals_and_our_csv_files_give_the_same_trials() -> None:
    by_journal = read_trials([MADE_BEFORE / "data" / "oddity"])
    by_csv = read_trials(sorted((MADE_BEFORE / "tables" / "oddity").glob("*.csv")))
    assert by_journal.model is not None
    assert by_journal.model.text.startswith("oddity of 3")
    assert by_journal.chance == pytest.approx(1 / 3)
    for name in ("participant", "trial", "practice", "condition", "source", "correct", "response"):
        assert by_journal.frame[name].tolist() == by_csv.frame[name].tolist(), name
    assert by_journal.frame["practice"].sum() == 4


def test_experiments_of_different_tasks_are_not_pooled(tmp_path: Path) -> None:
    for name in ("oddity", "staircase"):
        assert len(read_trials([MADE_BEFORE / "data" / name]).frame) > 0
    with pytest.raises(StimgenError, match="neither journals nor a BIDS dataset"):
        read_trials([tmp_path])
    with pytest.raises(StimgenError, match="no such file or folder"):
        read_trials([tmp_path / "nothing"])


def test_settings_of_a_file_and_of_the_command_line_are_joined(tmp_path: Path) -> None:
    file = write(tmp_path, "columns: {condition: model}\ntask: oddity\n", "settings.yaml")
    found = load_settings(file, {"columns": {"source": "image"}, "rule": "likelihood"})
    assert found.columns == {"condition": "model", "source": "image"}
    assert (found.task, found.rule) == ("oddity", "likelihood")
    bad = write(tmp_path, "task: odity\n", "bad.yaml")
    with pytest.raises(StimgenError, match=r"bad.yaml:1(.|\n)*did you mean 'oddity'"):
        load_settings(bad, {})
    with pytest.raises(StimgenError, match=r"--task(.|\n)*did you mean 'oddity'"):
        load_settings(None, {"task": "odity"})


def test_a_session_that_ended_before_its_first_trial_has_none(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    source = MADE_BEFORE / "data" / "oddity" / "journals" / "sub-01_ses-1_task-oddity.jsonl"
    header, *_ = source.read_text(encoding="utf-8").splitlines()
    (folder / source.name).write_text(header + "\n", encoding="utf-8")

    table = read_trials([tmp_path])
    assert len(table.frame) == 0
    assert table.chance == pytest.approx(1 / 3)
