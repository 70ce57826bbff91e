"""Sets as arrays: HDF5, Zarr and MATLAB files hold the same pictures and the same table."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from hand_made import Wanted, write_set
from PIL import Image
from scipy.io import loadmat

from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.table import TABLE_COLUMNS
from stimgen.workflow.export import export_set


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of grey and coloured pictures, 10 rows x 12 columns."""
    about = {"title": "Käse \u202e", "licence": "CC-BY-4.0"}
    return write_set(tmp_path_factory.mktemp("arrays") / "set", Wanted(about=about)).folder


def files(folder: Path) -> dict[str, np.ndarray]:
    """Return the pictures of all stimuli as Pillow reads them, rows x columns x channels."""
    records = StimulusSet(folder).records.values()
    return {r.content.id: np.atleast_3d(np.asarray(Image.open(folder / r.content.file))) for r in records}


def text(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def check_group(group: Any, folder: Path) -> None:
    """Compare arrays and table, in h5py's or zarr's hands, with the files of the set."""
    table = {name: group[f"table/{name}"][:] for name in group["table"]}
    assert set(table) == {
        *TABLE_COLUMNS,
        *(f"{one}_{what}" for one in ("stimulus", "original") for what in ("array", "index")),
    }
    wanted = files(folder)
    assert text(table["id"]) == list(wanted)
    found = StimulusSet(folder)
    for i, (stimulus, levels) in enumerate(wanted.items()):
        place = group[text(table["stimulus_array"])[i]]
        np.testing.assert_array_equal(place[table["stimulus_index"][i]], levels)
        assert list(place.attrs["ids"])[table["stimulus_index"][i]] == stimulus
        original = group[text(table["original_array"])[i]][table["original_index"][i]]
        np.testing.assert_array_equal(original, found.original(stimulus))
    assert table["seed"].tolist() == [1, 2, 1, 2]
    assert table["converged"].tolist() == [1, 0, 1, 0]
    assert np.isnan(table["judge"]).all()
    # Grey pictures have no colours to compare.
    np.testing.assert_array_equal(table["red_distance"], [np.nan, np.nan, 0.1, 0.1])
    assert group.attrs["title"] == "Käse"
    assert {name for name in group if name != "table"} == {
        f"{kind}_10x12x{channels}_8bit" for kind in ("stimuli", "originals") for channels in (1, 3)
    }


def test_hdf5_holds_pictures_and_table(stimuli: Path, tmp_path: Path) -> None:
    export_set(stimuli, "hdf5", tmp_path / "set.h5")
    with h5py.File(tmp_path / "set.h5") as file:
        check_group(file, stimuli)
        array = file["stimuli_10x12x3_8bit"]
        assert array.chunks == (1, 10, 12, 3)
        assert "permute(a, [3 2 1 4])" in array.attrs["matlab"]
        assert array.attrs["dimensions"] == "picture, row, column, channel"


def test_pictures_of_one_shape_are_one_array(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", Wanted(sources=("coffee", "cat"))).folder
    export_set(folder, "hdf5", tmp_path / "set.h5")
    export_set(folder, "hdf5", tmp_path / "again.h5")
    with h5py.File(tmp_path / "set.h5") as file:
        assert list(file) == ["stimuli", "originals", "table"]
        assert file["stimuli"].shape == (4, 10, 12, 3)
        np.testing.assert_array_equal(file["stimuli"][:], list(files(folder).values()))
    assert (tmp_path / "set.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_zarr_holds_pictures_and_table(stimuli: Path, tmp_path: Path) -> None:
    export_set(stimuli, "zarr", tmp_path / "set.zarr")
    check_group(zarr.open_group(str(tmp_path / "set.zarr"), mode="r"), stimuli)


def test_matlab_files_hold_pictures_and_table(stimuli: Path, tmp_path: Path) -> None:
    export_set(stimuli, "psychtoolbox", tmp_path / "ptb")
    found = loadmat(tmp_path / "ptb" / "stimuli.mat", simplify_cells=True)
    wanted = files(stimuli)
    assert list(found["stimuli"]["id"]) == list(wanted)
    for picture, levels in zip(found["pictures"], wanted.values(), strict=True):
        np.testing.assert_array_equal(np.atleast_3d(picture), levels)
        assert picture.dtype == np.uint8
        assert picture.ndim == (2 if levels.shape[2] == 1 else 3)
    assert found["stimuli"]["seed"].tolist() == [1, 2, 1, 2]
    export_set(stimuli, "psychtoolbox", tmp_path / "again")
    again = (tmp_path / "again" / "stimuli.mat").read_bytes()
    assert (tmp_path / "ptb" / "stimuli.mat").read_bytes() == again


OCTAVE = """
set = load('stimuli.mat');
sums = cellfun(@(p) sum(double(p(:))), set.pictures);
corner = cellfun(@(p) double(p(1, 2, end)), set.pictures);
printf('{"ids": ["%s"], "sums": [%s], "corner": [%s], "title": "%s"}\\n', ...
    strjoin(set.stimuli.id', '", "'), strjoin(cellstr(num2str(sums))', ', '), ...
    strjoin(cellstr(num2str(corner))', ', '), set.about.title);
"""


def test_octave_reads_what_matlab_does(stimuli: Path, tmp_path: Path) -> None:
    octave = shutil.which("octave-cli")
    if octave is None:
        pytest.skip("GNU Octave is not installed")
    export_set(stimuli, "psychtoolbox", tmp_path / "ptb")
    command = [octave, "--no-gui", "--quiet", "--eval", OCTAVE]
    done = subprocess.run(command, cwd=tmp_path / "ptb", capture_output=True, text=True, check=True)
    found, wanted = json.loads(done.stdout), files(stimuli)
    assert found["ids"] == list(wanted)
    assert found["sums"] == [int(levels.sum()) for levels in wanted.values()]
    assert found["corner"] == [int(levels[0, 1, -1]) for levels in wanted.values()]
    parsed = subprocess.run(
        [octave, "--quiet", "--eval", "__parse_file__('show_stimuli.m')"], cwd=tmp_path / "ptb", check=False
    )
    assert parsed.returncode == 0


def test_brainio_s_table_names_the_files_of_its_archive(stimuli: Path, tmp_path: Path) -> None:
    import pandas as pd

    export_set(stimuli, "brainscore", tmp_path / "bs")
    table = pd.read_csv(tmp_path / "bs" / "stimulus_set.csv")
    shutil.unpack_archive(tmp_path / "bs" / "stimulus_set.zip", tmp_path / "in")
    wanted = files(stimuli)
    assert table["stimulus_id"].tolist() == list(wanted)
    assert sorted(table["filename"]) == sorted(file.name for file in (tmp_path / "in").iterdir())
    for row in table.itertuples():
        levels = np.atleast_3d(np.asarray(Image.open(tmp_path / "in" / row.filename)))
        np.testing.assert_array_equal(levels, wanted[row.stimulus_id])
    assert table["seed"].tolist() == [1, 2, 1, 2]
