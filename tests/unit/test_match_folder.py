"""`stimgen match`: what it writes, and what it says of pictures that cannot be matched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from stimgen.cli.main import app
from stimgen.images.matching.histogram import specify_histogram
from stimgen.reading.errors import StimgenError
from stimgen.workflow.match import match_folder
from stimgen.workflow.match_options import MatchOptions, read_match_options
from stimgen.workflow.match_page import PageCollector

NAMES = ("brick", "coins", "moon")


def write_pictures(folder: Path, side: int = 48) -> Path:
    folder.mkdir()
    for name in NAMES:
        Image.fromarray(getattr(data, name)()).resize((side, side)).save(folder / f"{name}.png")
    return folder


def read(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the page, whose figures take longer than everything else."""
    monkeypatch.setattr(PageCollector, "write", lambda *_: None)


def refusal(folder: Path, target: Path, **options: object) -> str:
    with pytest.raises(StimgenError) as caught:
        match_folder(folder, target, read_match_options(**options))
    assert not target.exists()
    assert not list(target.parent.glob(".writing-*"))
    text = str(caught.value)
    assert len(text.splitlines()) <= 20
    return text


def test_pictures_table_report_and_page_are_written(tmp_path: Path) -> None:
    report = match_folder(write_pictures(tmp_path / "photos"), tmp_path / "new")
    written = {file.name for file in (tmp_path / "new").iterdir()}
    assert written == {
        *(f"{name}.png" for name in NAMES),
        "matching.json",
        "matching.csv",
        "matching.html",
        "figures",
    }
    counts = {tuple(np.bincount(read(tmp_path / "new" / f"{name}.png").ravel())) for name in NAMES}
    assert len(counts) == 1
    assert all(
        one.after.histogram_deviation < 1e-3 < one.before.histogram_deviation for one in report.pictures
    )
    saved = json.loads((tmp_path / "new" / "matching.json").read_text())
    assert saved == report.to_dict()
    assert (tmp_path / "new" / "matching.csv").read_text().count("\n") == 4
    page = (tmp_path / "new" / "matching.html").read_text()
    assert page.count("data:image/svg+xml") == 3
    assert "Willenbockel" in page


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    for name in ("one", "two"):
        match_folder(
            folder, tmp_path / name, MatchOptions(spectrum="rotational", iterations=3, tolerance=0.0)
        )
    for file in (tmp_path / "one").iterdir():
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.usefixtures("no_page")
def test_sixteen_bits_are_written(tmp_path: Path) -> None:
    match_folder(
        write_pictures(tmp_path / "photos"),
        tmp_path / "new",
        MatchOptions(bits=16, luminance="moments", contrast=0.4),
    )
    with Image.open(tmp_path / "new" / "moon.png") as image:
        assert image.mode.startswith("I")


@pytest.mark.usefixtures("no_page")
def test_only_what_a_mask_shows_is_matched(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    (tmp_path / "masks").mkdir()
    mask = np.zeros((48, 48), dtype=np.uint8)
    mask[12:36, 12:36] = 255
    for name in NAMES:
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    match_folder(folder, tmp_path / "new", MatchOptions(masks=tmp_path / "masks"))
    old, new = ([read(place / f"{name}.png") for name in NAMES] for place in (folder, tmp_path / "new"))
    assert all((one[mask == 0] == two[mask == 0]).all() for one, two in zip(old, new, strict=True))
    assert len({tuple(np.sort(one[mask == 255])) for one in new}) == 1


def test_one_picture_alone_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.moon()).save(folder / "moon.png")
    assert "at least two" in refusal(folder, tmp_path / "new")


def test_all_unreadable_pictures_are_named_at_once(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    (folder / "a.png").write_bytes(b"no picture")
    (folder / "b.jpg").write_bytes(b"")
    text = refusal(folder, tmp_path / "new")
    assert "a.png" in text
    assert "b.jpg" in text


def test_a_black_picture_and_other_sizes_are_named(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    Image.new("L", (40, 48)).save(folder / "black.png")
    assert "black: is black" in refusal(folder, tmp_path / "new")
    Image.fromarray(data.moon()).resize((40, 48)).save(folder / "black.png")
    text = refusal(folder, tmp_path / "new", spectrum="full")
    assert "brick" in text
    assert "48 x 48" in text
    assert "40 x 48" in text


def test_masks_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    (tmp_path / "masks").mkdir()
    assert "no mask for brick.png" in refusal(folder, tmp_path / "new", masks=tmp_path / "masks")
    for name in NAMES:
        Image.new("L", (48, 48)).save(tmp_path / "masks" / f"{name}.png")
    assert "brick: nothing of it is visible" in refusal(folder, tmp_path / "new", masks=tmp_path / "masks")


@pytest.mark.usefixtures("no_page")
def test_clipping_is_refused_and_the_contrast_that_the_message_names_helps(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos")
    text = refusal(folder, tmp_path / "new", spectrum="full", luminance="none")
    contrast = float(text.split("contrast: ")[1].split("`")[0])
    assert 0.1 < contrast < 1.0
    match_folder(folder, tmp_path / "new", MatchOptions(spectrum="full", luminance="none", contrast=contrast))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"spectrum": "ful"}, "--spectrum"),
        ({"luminance": "none"}, "--luminance"),
        ({"luminance": "moments", "ssim": 3}, "--ssim"),
        ({"contrast": 2.0}, "--contrast"),
        ({"bits": 12}, "--bits"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(StimgenError, match=named):
        read_match_options(**options)


def test_the_command_prints_what_changed(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    folder = write_pictures(tmp_path / "photos")
    result = CliRunner().invoke(app, ["match", str(folder), "-o", str(tmp_path / "new"), "--ssim", "2"])
    assert result.exit_code == 0
    assert "3 pictures matched" in result.output
    assert "histogram, distance from target" in result.output


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=12, max_size=12), st.lists(st.floats(0, 1), min_size=12, max_size=12)
)
def test_every_histogram_is_exact_and_order_stays(values: list[int], wanted: list[float]) -> None:
    plane = np.array(values, dtype=float).reshape(3, 4)
    rising = np.sort(wanted)
    found = specify_histogram(plane, plane >= 0, rising)
    assert (np.sort(found, axis=None) == rising).all()
    darker = plane[:, :, None, None] < plane
    assert (found[:, :, None, None] <= found)[darker].all()
