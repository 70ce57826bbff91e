"""A look at pictures before a protocol is written: what they are, and which are alike."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from stimgen.cli.sources_text import format_inspection
from stimgen.images.measures.perceptual_hash import compute_hash
from stimgen.images.picture_inspection import inspect_picture
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.workflow.sources import FolderInspection, InspectionOptions, inspect_folder

RNG = np.random.default_rng(4)


def draw(seed: int, side: int = 40) -> Image.Image:
    """Return a smooth picture in colour."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3))
    smooth = gaussian_filter(noise, (side / 8, side / 8, 0))
    levels = 255 * (smooth - smooth.min()) / np.ptp(smooth)
    return Image.fromarray(levels.astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of pictures as people have them, and go to the folder above."""
    place = tmp_path / "photos"
    (place / "sub [1]").mkdir(parents=True)
    one = draw(1)
    one.save(place / "one.png")
    one.save(place / "same.bmp")
    one.save(place / "like.jpg", quality=90)
    one.resize((80, 80)).save(place / "large.WEBP", lossless=True)
    draw(2).save(place / "Foto 2.png")
    draw(3, 12).save(place / "tiny.png")
    draw(4).convert("L").save(place / "grey.tif")
    draw(5).save(place / "frames.gif", save_all=True, append_images=[draw(6)])
    cut = draw(7).convert("RGBA")
    cut.putalpha(Image.fromarray(np.tile(np.uint8([0] * 10 + [255] * 30), (40, 1))))
    cut.save(place / "sub [1]" / "cut.png")
    (place / "broken.png").write_bytes((place / "one.png").read_bytes()[:900])
    (place / "text.jpg").write_text("no picture")
    (place / "notes.txt").write_text("no picture")
    (place / "._one.png").write_bytes(b"AppleDouble")
    monkeypatch.chdir(tmp_path)
    return place


def look(folder: Path, **options: object) -> FolderInspection:
    return inspect_folder(folder, InspectionOptions(**{"side": 32, **options}))  # type: ignore[arg-type]  # by name


def test_every_picture_is_described(folder: Path) -> None:
    found = {one.file.removeprefix("photos/"): one for one in look(folder).pictures}
    assert sorted(found) == [
        *("Foto 2.png", "broken.png", "frames.gif", "grey.tif", "large.WEBP", "like.jpg", "one.png"),
        *("same.bmp", "sub [1]/cut.png", "text.jpg", "tiny.png"),
    ]
    cut, frames = found["sub [1]/cut.png"], found["frames.gif"]
    assert (cut.width, cut.height, cut.depth, cut.colour, cut.transparent) == (40, 40, "uint8", "rgb", 0.25)
    assert (frames.frames, found["one.png"].frames, found["grey.tif"].colour) == (2, 1, "grey")
    assert found["one.png"].problem is None
    assert "damaged or truncated" in str(found["broken.png"].problem)
    assert "not an image that can be read" in str(found["text.jpg"].problem)


def test_light_is_that_of_an_independent_computation(folder: Path) -> None:
    encoded = np.asarray(Image.open(folder / "one.png")) / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = light @ [0.2126, 0.7152, 0.0722]
    found = inspect_picture(folder / "one.png", "one").picture
    assert found.luminance == pytest.approx(luminance.mean(), rel=1e-12)
    assert found.contrast == pytest.approx(luminance.std() / luminance.mean(), rel=1e-9)


def test_light_of_a_cut_out_is_that_of_its_opaque_parts(folder: Path) -> None:
    opaque = np.asarray(Image.open(folder / "sub [1]" / "cut.png"))[:, 10:, :3]
    Image.fromarray(opaque).save(folder / "opaque.png")
    cut, plain = (inspect_picture(folder / name, name).picture for name in ("sub [1]/cut.png", "opaque.png"))
    assert cut.luminance == pytest.approx(plain.luminance, rel=1e-12)
    assert cut.contrast == pytest.approx(plain.contrast, rel=1e-9)


def test_what_is_alike_and_too_small(folder: Path) -> None:
    found = look(folder)
    assert found.duplicates == (("photos/one.png", "photos/same.bmp"),)
    assert found.alike == (("photos/large.WEBP", "photos/like.jpg", "photos/one.png", "photos/same.bmp"),)
    assert found.small == ("photos/tiny.png",)
    assert found.skipped == ("photos/notes.txt",)


def test_the_printed_sources_are_a_protocol(folder: Path) -> None:
    """All that is neither left out nor a copy is planned and can be read."""
    found = look(folder)
    text = f"name: pasted\n{found.block}\nconditions: [{{id: a, method: original}}]\n"
    file = folder.parent / "p.yaml"
    file.write_text(text, encoding="utf-8")
    sources = make_plan(load_protocol(file)).sources
    assert {source.name for source in sources} == {
        f"photos/{name}"
        for name in (
            "Foto 2.png",
            "frames.gif",
            "grey.tif",
            "large.WEBP",
            "like.jpg",
            "one.png",
            "sub [1]/cut.png",
        )
    }
    assert all(source.pixels().shape[:2] == (32, 32) for source in sources)
    assert "# left out: photos/same.bmp: the same pixels as photos/one.png" in found.block
    assert "# left out: photos/tiny.png: 12 x 12 pixels are fewer than 32 x 32" in found.block
    assert '{file: "photos/sub [1]/cut.png", mask: alpha}' in found.block


def test_pictures_of_one_kind_are_one_pattern(folder: Path) -> None:
    for name in ("broken.png", "tiny.png", "text.jpg", "same.bmp"):
        (folder / name).unlink()
    assert '  - {file: "photos/*.png"}' in look(folder).block
    assert look(folder, side=256).block.startswith("# left out")


def test_a_table_and_a_sheet_are_written(folder: Path) -> None:
    look(folder, table=Path("t.csv"), sheet=Path("s.png"))
    rows = list(csv.DictReader(io.StringIO(Path("t.csv").read_text(encoding="utf-8"))))
    assert {row["file"]: row["width"] for row in rows}["photos/tiny.png"] == "12"
    assert len(rows) == 11
    with Image.open("s.png") as sheet:
        # Eight columns of 96 pixels with gaps of 6, and two rows with captions of 14.
        assert sheet.size == (6 + 8 * 102, 6 + 2 * 116)


def test_workers_find_the_same(folder: Path) -> None:
    assert look(folder, workers=2).to_dict() == look(folder, workers=1).to_dict()


def test_what_is_printed(folder: Path) -> None:
    found = look(folder)
    text = format_inspection(found)
    assert text.startswith(f"{folder}: 11 pictures; 3 sizes, mostly 40 x 40 (7); uint8")
    assert "Cannot be used as they are (2):\n  photos/broken.png: the image is damaged" in text
    assert text.endswith(found.block)
    assert json.loads(json.dumps(found.to_dict()))["unreadable"] == ["photos/broken.png", "photos/text.jpg"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("foto", "no such folder\n  allowed: photos\n  did you mean 'photos'?"),
        ("photos/one.png", "is a file, not a folder"),
        ("empty", "contains no files"),
        ("texts", "contains 1 files, but no pictures"),
    ],
)
def test_a_folder_without_pictures_is_refused(folder: Path, name: str, told: str) -> None:
    if name in ("empty", "texts"):
        (folder.parent / name).mkdir()
    if name == "texts":
        (folder.parent / name / "notes.txt").write_text("no picture")
    with pytest.raises(StimgenError) as caught:
        look(folder.parent / name)
    assert told in str(caught.value)


def test_a_hash_hardly_changes_with_size_light_and_compression() -> None:
    """Two other pictures differ in about half of the 64 bits."""
    hashes = {}
    for seed in range(6):
        picture = draw(seed, 64).convert("L")
        other = picture.resize((48, 48)).point(lambda level: 0.8 * level + 20)
        hashes[seed] = [
            compute_hash(np.asarray(one.resize((32, 32), Image.Resampling.BOX))) for one in (picture, other)
        ]
        assert (hashes[seed][0] ^ hashes[seed][1]).bit_count() <= 6
    different = [(hashes[i][0] ^ hashes[j][0]).bit_count() for i in range(6) for j in range(i)]
    assert min(different) > 10
