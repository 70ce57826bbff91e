"""From data to the page: journals with their pictures, and published data as the documentation shows them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hand_made_experiment import write_experiment, write_its_set

from stimgen.analysis.accuracy import compute_group_accuracy
from stimgen.analysis.figures import FIGURES
from stimgen.analysis.mixed import compute_mixed_model
from stimgen.analysis.pictures import find_pictures
from stimgen.analysis.read import read_trials
from stimgen.analysis.results import ANALYSES
from stimgen.analysis.settings import load_settings
from stimgen.experiment.schema.load import load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.analyze import analyze
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "wallis2017.md"
RAW = (
    "image_model,im_code,oddball,target_loc,ms_stim,synth_num,crop_x,crop_y,crop_x_2,crop_y_2,subj,session,"
    "test_location,rand_seed,trial,response,rt,eye_valid,prop_eye_valid"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a set, and data of two simulated observers."""
    folder = tmp_path_factory.mktemp("study")
    write_its_set(folder)
    loaded = load_experiment(write_experiment(folder))
    options = RunOptions("simulated", data=folder / "data")
    assert len(list(run_study(loaded, SessionId(None, "1"), 2, options))) == 2
    return folder


def test_journals_become_tables_figures_and_a_page(study: Path, tmp_path: Path) -> None:
    found = analyze([study / "data"], target=tmp_path / "results")
    assert {"accuracy", "sources", "source_map", "dprime"} <= set(found.figures)
    for name in found.figures:
        for file_format in ("pdf", "svg", "png"):
            assert (tmp_path / "results" / "figures" / f"{name}.{file_format}").stat().st_size > 3000
    page = (tmp_path / "results" / "report.html").read_text(encoding="utf-8")
    assert "computed observer (simulated)" in page
    assert page.count("<img") == len(found.figures)
    assert "Craven" in page


def test_pictures_are_those_of_the_set_that_was_shown(study: Path) -> None:
    table = read_trials([study / "data"])
    found = find_pictures(table, [study / "data"])
    assert set(found.sources) == {"brick", "coffee", "gravel"} & set(table.frame["source"])
    assert {condition for _, condition in found.stimuli} == {"fine", "coarse"}
    # Another set has the same names, and is not taken unless it is named.
    other = study / "other"
    shutil.copytree(study / "set", other / "set")
    plan = other / "set" / "plan.json"
    plan.write_text(plan.read_text() + "\n")
    shutil.copytree(study / "data", other / "data")
    (study / "set").rename(study / "hidden")
    try:
        assert not find_pictures(table, [other / "data"]).sources
        assert find_pictures(table, [other / "data"], [study / "hidden"]).sources
    finally:
        (study / "hidden").rename(study / "set")
    with pytest.raises(StimgenError):
        find_pictures(table, [], [study / "nowhere"])


def test_a_damaged_picture_is_not_shown(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study / "set", tmp_path / "set")
    table = read_trials([study / "data"])
    for file in (tmp_path / "set" / "originals").glob("*.png"):
        file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StimgenError, match="do not match"):
        find_pictures(table, [], [tmp_path / "set"])


def test_the_analysis_page_names_every_table_and_figure() -> None:
    text = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
    for name in ANALYSES:
        assert f"`{name}.csv`" in text, name
    for name in FIGURES:
        assert f"| `{name}` |" in text, name


def find_block(language: str, place: int = 0) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(blocks[place])


def test_the_commands_of_the_published_data_read_files_as_the_authors_wrote_them(tmp_path: Path) -> None:
    if shutil.which("awk") is None:
        pytest.skip("awk is not installed")
    raw = tmp_path / "raw_data" / "experiment_11"
    raw.mkdir(parents=True)
    for subject in ("cf", "S1"):
        rows = [
            f"conv{i % 2 + 1},Gravel,{i % 2},{i % 3 + 1},{200 if i < 9 else 2000},1,1,1,1,1,{subject},1,"
            f"cin,1.5,{i + 1},{'NaN,NaN' if i == 4 else '1,0.5'},NaN,NaN"
            for i in range(18)
        ]
        (raw / f"experiment-11_sub_{subject}_session_1.csv").write_text("\n".join([RAW, *rows]) + "\n")
    subprocess.run(["sh", "-c", find_block("sh")], cwd=tmp_path, check=True)
    (tmp_path / "wallis2017.yaml").write_text(find_block("yaml"))
    settings = load_settings(tmp_path / "wallis2017.yaml", {})
    table = read_trials([tmp_path / "experiment1.csv"], settings)
    assert len(table.frame) == 36
    assert table.factors == ("condition", "viewing")
    assert set(table.frame["group"]) == {"author", "naive"}
    assert set(table.frame["viewing"]) == {"parafoveal", "inspection"}
    assert table.frame["missed"].sum() == 2
    assert table.counted["correct"].sum() == 12


def test_the_published_page_has_the_numbers_of_the_published_data(shared: Path) -> None:
    settings = load_settings(
        None, {"columns": {"condition": "model"}, "factors": ("viewing",), "task": "oddity", "resamples": 100}
    )
    table = read_trials([shared / "data" / "wallis2017_experiment1.csv"], settings)
    found = compute_group_accuracy(table, settings)
    rows = re.findall(
        r"^\| (parafoveal|inspection), ([a-z ]+) \| (.+) \|$", PAGE.read_text(), flags=re.MULTILINE
    )
    assert len(rows) == 8
    columns = {
        "trials pooled": ("all", "proportion"),
        "mean of observers": ("all", "mean"),
        "authors": ("author", "mean"),
        "naive observers": ("naive", "mean"),
    }
    for viewing, what, numbers in rows:
        group, column = columns[what]
        for model, number in zip(
            ("conv1", "conv2", "conv3", "conv4", "conv5", "PS"), numbers.split(" | "), strict=True
        ):
            own = found[(found.group == group) & (found.viewing == viewing) & (found.condition == model)]
            assert f"{own[column].iloc[0]:.3f}"[1:] == number, (viewing, what, model)


@pytest.mark.long
def test_the_published_page_has_the_test_of_the_mixed_model(shared: Path) -> None:
    settings = load_settings(
        None, {"columns": {"condition": "model"}, "factors": ("viewing",), "task": "oddity"}
    )
    table = read_trials([shared / "data" / "wallis2017_experiment1.csv"], settings)
    model = compute_mixed_model(table, settings)
    assert model is not None
    assert model[model.term == "condition x viewing"].chi2.iloc[0] == pytest.approx(18.0, abs=0.1)


def test_without_matplotlib_there_are_tables_and_a_page_that_says_so(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = analyze([study / "data"], target=tmp_path / "results")
    assert not found.figures
    page = (tmp_path / "results" / "report.html").read_text(encoding="utf-8")
    assert "There are no figures: drawing figures of results needs matplotlib" in page
    assert (tmp_path / "results" / "accuracy.csv").is_file()
