"""Files as other laboratories have them are read, or refused with what to type next."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stimgen.analysis.dprimes import compute_dprime
from stimgen.analysis.read import read_trials
from stimgen.analysis.settings import AnalysisSettings, load_settings
from stimgen.cli import main as cli
from stimgen.reading.errors import StimgenError

SEMICOLONS = "Proband;Bedingung;Richtig;Kontrast;RZ\n007;a;ja;0,10;350,5\n;;;;\n08;b;nein;0,40;400\n"
GERMAN = AnalysisSettings(
    columns={"participant": "Proband", "condition": "Bedingung", "correct": "Richtig", "response_time": "RZ"},
    factors=("Kontrast",),
    values={"correct": {"ja": "1", "nein": "0"}},
    level="Kontrast",
    response_time_unit="ms",
)
SIGNALS = (
    "participant,signal,response\n1,present,present\n1,absent,present\n2,present,absent\n2,absent,absent\n"
)


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "data.csv"
    file.write_text(text, encoding=encoding)
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_semicolons_decimal_commas_and_words_of_another_language(tmp_path: Path, encoding: str) -> None:
    frame = read_trials([write(tmp_path, SEMICOLONS, encoding)], GERMAN).frame
    assert frame["participant"].tolist() == ["007", "08"]
    assert frame["correct"].tolist() == [1, 0]
    assert frame["level"].tolist() == [0.1, 0.4]
    assert frame["response_time"].tolist() == [0.3505, 0.4]
    assert frame["row"].tolist() == [2, 4]


def test_words_that_are_not_known_are_told_with_the_option_that_explains_them(tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match=r"(?s)data.csv:2: Richtig: 'ja' .*--value COLUMN:VALUE=1"):
        read_trials([write(tmp_path, SEMICOLONS)], GERMAN.replace(values={}))


@pytest.mark.parametrize("preface", ["sep=;\n", "# laboratory X\n# 2020\n"])
def test_lines_before_the_names_of_columns_are_skipped(tmp_path: Path, preface: str) -> None:
    text = preface + "participant;correct\n1;1\n1;2\n"
    with pytest.raises(StimgenError, match=f"data.csv:{preface.count(chr(10)) + 3}: correct: '2'"):
        read_trials([write(tmp_path, text)])
    assert len(read_trials([write(tmp_path, text.replace("1;2", "1;0"))]).frame) == 2


def test_signals_are_named_as_the_data_name_them(tmp_path: Path) -> None:
    settings = AnalysisSettings(columns={"correct_response": "signal"}, task="yes_no")
    file = write(tmp_path, SIGNALS)
    with pytest.raises(StimgenError, match="--value correct_response:present=yes"):
        compute_dprime(read_trials([file], settings), ["participant"], settings)
    meant = {"present": "yes", "absent": "no"}
    settings = settings.replace(values={"correct_response": meant, "response": meant})
    found = compute_dprime(read_trials([file], settings), ["participant"], settings)
    assert found["hits"].tolist() == [1, 0]
    assert found["false_alarms"].tolist() == [1, 0]


def test_a_name_that_is_no_column_of_ours_is_refused() -> None:
    with pytest.raises(StimgenError) as error:
        load_settings(None, {"columns": {"oddball_location": "target_location"}})
    assert "--column: 'oddball_location' is neither a standard column nor a factor" in str(error.value)
    assert "oddball" in error.value.allowed
    assert "--factor oddball_location=THEIRS" in str(error.value)


def test_a_factor_may_have_a_name_of_ours(tmp_path: Path) -> None:
    settings = load_settings(None, {"columns": {"viewing": "duration"}, "factors": ("viewing",)})
    table = read_trials([write(tmp_path, "participant,duration,correct\n1,200,1\n1,400,0\n")], settings)
    assert table.factors == ("viewing",)
    assert table.frame["viewing"].tolist() == ["200", "400"]


def test_milliseconds_are_not_taken_for_seconds(tmp_path: Path) -> None:
    file = write(tmp_path, "participant,rt,correct\n1,350,1\n1,0.4,0\n1,420,1\n")
    with pytest.raises(StimgenError, match=r"(?s)data.csv:2: rt: half .*--response-time-unit ms"):
        read_trials([file])
    table = read_trials([file], AnalysisSettings(response_time_unit="s"))
    assert table.frame["response_time"].tolist() == [350, 0.4, 420]


def test_seconds_are_not_taken_for_milliseconds_in_silence(tmp_path: Path) -> None:
    file = write(tmp_path, "participant,rt,correct\n1,0.35,1\n1,0.4,0\n")
    table = read_trials([file], AnalysisSettings(response_time_unit="ms"))
    assert any("are they in seconds?" in note for note in table.notes)


def test_columns_that_could_be_factors_are_told(tmp_path: Path) -> None:
    file = write(tmp_path, "participant,viewing,correct\n1,short,1\n1,long,0\n")
    assert any("Columns not used: viewing." in note for note in read_trials([file]).notes)
    assert not read_trials([file], AnalysisSettings(factors=("viewing",))).notes


def test_files_of_several_experiments_are_told(tmp_path: Path) -> None:
    text = "participant,experiment,condition,correct\n1,one,a,1\n1,two,a,0\n"
    notes = read_trials([write(tmp_path, text)]).notes
    assert any("2 experiments are taken together: one, two" in note for note in notes)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--column", "condition"), "is not OURS=THEIRS"),
        (("--value", "correct=ja"), "is not OURS:THEIRS=MEANING"),
        (("--column", "corect=Richtig"), "did you mean 'correct'"),
        (("--value", "corect:ja=1"), "did you mean 'correct'"),
    ],
)
def test_mistakes_on_the_command_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
    says: str,
) -> None:
    file = write(tmp_path, SEMICOLONS)
    monkeypatch.setattr(sys, "argv", ["stimgen", "analyze", str(file), *options])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert says in capsys.readouterr().err
