"""The table of what a reviewer asks, its figure, and the command that makes both."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_made import Wanted, write_set
from PIL import Image
from skimage import color

from stimgen import StimgenError, StimulusSet
from stimgen.cli.main import main
from stimgen.reading import extras
from stimgen.stimulus_set.confounds import MEASURES
from stimgen.stimulus_set.store import Store, record_file

CONDITIONS = ("fine", "coarse")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_set(tmp_path / "set", Wanted(conditions=CONDITIONS, seeds=(1, 2, 3), size=(30, 28)))


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["stimgen", "confounds", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def pictures(store: Store, condition: str) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    files = [r.content.file for r in store.read_records() if r.content.condition == condition]
    return [np.asarray(Image.open(store.folder / file).convert("RGB")) / 255 for file in files]


def lab_and_luminance(store: Store, condition: str) -> tuple[list[float], list[float]]:
    found = pictures(store, condition)
    lightness = [float(color.rgb2lab(picture)[..., 0].mean()) for picture in found]
    return lightness, [float(color.rgb2xyz(picture)[..., 1].mean()) for picture in found]


def test_means_and_deviations_by_condition(store: Store) -> None:
    table = StimulusSet(store.folder).confounds()
    assert list(table.index) == ["original", *CONDITIONS]
    assert table.n.to_dict() == {"original": 2, "fine": 6, "coarse": 6}
    assert list(table.columns) == ["n", *(f"{m}_{kind}" for m in MEASURES for kind in ("mean", "sd"))]
    for condition in CONDITIONS:
        for measure, values in zip(
            ("lightness", "luminance"), lab_and_luminance(store, condition), strict=True
        ):
            assert table.loc[condition, f"{measure}_mean"] == pytest.approx(np.mean(values), rel=1e-3)
            assert table.loc[condition, f"{measure}_sd"] == pytest.approx(np.std(values, ddof=1), rel=0.02)
    assert not table.isna().any(axis=None)


def test_originals_count_once(store: Store) -> None:
    """Those of the hand-made set are its first stimuli at half the level."""
    originals = [
        np.asarray(Image.open(file).convert("RGB")) / 255 for file in (store.folder / "originals").iterdir()
    ]
    wanted = np.mean([color.rgb2xyz(picture)[..., 1].mean() for picture in originals])
    table = StimulusSet(store.folder).confounds()
    assert table.loc["original", "luminance_mean"] == pytest.approx(wanted, rel=1e-3)


def test_a_condition_may_be_called_original(tmp_path: Path) -> None:
    write_set(tmp_path / "set", Wanted(conditions=("original",)))
    assert list(StimulusSet(tmp_path / "set").confounds().index) == ["original (source)", "original"]


def test_what_does_not_exist_is_left_empty(tmp_path: Path) -> None:
    """Pictures of twelve pixels have no spectral slope; a single picture no deviation."""
    write_set(tmp_path / "set", Wanted(sources=("coffee",), seeds=(1,)))
    table = StimulusSet(tmp_path / "set").confounds()
    assert table.slope_mean.isna().all()
    assert table.luminance_mean.notna().all()
    assert table.luminance_sd.isna().all()


def test_linear_numbers_are_light(store: Store) -> None:
    before = StimulusSet(store.folder).confounds().luminance_mean
    for record in store.read_records():
        file = store.folder / record_file(record.content.id)
        file.write_text(file.read_text().replace('"encoding": "srgb"', '"encoding": "linear"'))
    after = StimulusSet(store.folder).confounds().luminance_mean
    assert (after > 1.2 * before).all()


class TestCommand:
    def test_three_forms_of_one_table(
        self,
        store: Store,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        assert called(monkeypatch, store.folder, "--json", "-o", tmp_path / "c.csv") == 0
        rows = json.loads(capsys.readouterr().out)
        assert pd.read_csv(tmp_path / "c.csv").to_dict("records") == rows
        assert called(monkeypatch, store.folder) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split() == ["condition", "n", *MEASURES]
        for line, row in zip(lines[1:4], rows, strict=True):
            assert line.split()[:3] == [row["condition"], str(row["n"]), f"{row['luminance_mean']:.3g}"]

    @pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
    def test_the_figure(
        self, store: Store, ending: str, start: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / f"c.{ending}"
        assert called(monkeypatch, store.folder, "--plot", file) == 0
        assert file.read_bytes().startswith(start)

    def test_a_figure_of_what_does_not_exist(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        write_set(tmp_path / "set", Wanted(sources=("coffee",), seeds=(1,)))
        assert called(monkeypatch, tmp_path / "set", "--plot", tmp_path / "c.png") == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--plot", "c.pgn"), "did you mean 'png'?"),
            (("--plot", "none/c.png"), "there is no such folder"),
            (("-o", "none/c.csv"), "c.csv: cannot be written"),
        ],
    )
    def test_files_that_cannot_be_written(
        self,
        store: Store,
        arguments: tuple[str, str],
        said: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(store.folder.parent)
        assert called(monkeypatch, store.folder, *arguments) == 2
        assert said in capsys.readouterr().err

    def test_without_matplotlib(
        self,
        store: Store,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        def missing(module: str) -> None:
            raise ModuleNotFoundError(name=module.partition(".")[0])

        monkeypatch.setattr(extras, "import_module", missing)
        assert called(monkeypatch, store.folder, "--plot", tmp_path / "c.png") == 2
        assert 'pip install "stimgen[analysis]"' in capsys.readouterr().err

    def test_nothing_finished(self, tmp_path: Path) -> None:
        write_set(tmp_path / "set", unfinished=4)
        with pytest.raises(StimgenError, match="no stimulus is finished"):
            StimulusSet(tmp_path / "set").confounds()

    def test_an_unknown_encoding(self, store: Store) -> None:
        record = next(iter(store.read_records()))
        file = store.folder / record_file(record.content.id)
        file.write_text(file.read_text().replace('"encoding": "srgb"', '"encoding": "gamma"'))
        with pytest.raises(StimgenError, match="'gamma'"):
            StimulusSet(store.folder).confounds()

    def test_a_picture_that_is_gone(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        picture = next(iter(store.read_records())).content.file
        (store.folder / picture).unlink()
        assert called(monkeypatch, store.folder) == 2
        assert Path(picture).name in capsys.readouterr().err
