"""The contact sheet: originals first, one row a source, never too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made import Wanted, write_set
from PIL import Image

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.contact_sheet import CAPTION_HEIGHT, GAP, TILE, draw_contact_sheet, read_thumbnail
from stimgen.stimulus_set.store import Store


def tile(sheet: Image.Image, row: int, column: int) -> Image.Image:
    left, top = GAP + column * (TILE + GAP), GAP + row * (TILE + CAPTION_HEIGHT + GAP)
    return sheet.crop((left, top, left + TILE, top + TILE))


def shape(sheet: Image.Image) -> tuple[int, int]:
    """Return rows and columns of a sheet."""
    columns, rest = divmod(sheet.width - GAP, TILE + GAP)
    rows, more = divmod(sheet.height - GAP, TILE + CAPTION_HEIGHT + GAP)
    assert rest == more == 0
    return rows, columns


@pytest.mark.parametrize(
    ("wanted", "rows", "columns"),
    [
        (Wanted(), 2, 3),
        (Wanted(sources=("brick",), seeds=(1,)), 1, 2),
        (Wanted(conditions=("texture", "texform")), 2, 5),
        (Wanted(sources=("brick",), seeds=tuple(range(1, 21))), 1, 9),
        (Wanted(sources=("brick",), conditions=("a", "b", "c"), seeds=tuple(range(1, 8))), 1, 7),
        (Wanted(sources=("brick",), conditions=tuple("abcdefghijkl"), seeds=(1, 2)), 1, 13),
        (Wanted(sources=tuple(f"source{i}" for i in range(30)), seeds=(1,)), 24, 2),
    ],
)
def test_its_size(tmp_path: Path, wanted: Wanted, rows: int, columns: int) -> None:
    assert shape(draw_contact_sheet(write_set(tmp_path / "set", wanted))) == (rows, columns)


def test_originals_and_stimuli_are_shown_pixel_by_pixel(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", Wanted(size=(TILE, TILE)))
    sheet = draw_contact_sheet(store)
    for i, record in enumerate(store.read_records()):
        content = record.content
        row, column = divmod(i, 2)
        picture = Image.open(store.path(content.file)).convert("RGB")
        original = Image.open(store.path(content.source.original.file)).convert("RGB")
        assert np.array_equal(tile(sheet, row, 1 + column), picture)
        assert np.array_equal(tile(sheet, row, 0), original)


def test_captions_are_drawn(tmp_path: Path) -> None:
    sheet = np.asarray(draw_contact_sheet(write_set(tmp_path / "set")).convert("L"))
    caption = sheet[GAP + TILE : GAP + TILE + CAPTION_HEIGHT, GAP : GAP + TILE]
    assert caption.min() < 100


def test_a_long_caption_keeps_its_seed_and_does_not_run_into_the_next(tmp_path: Path) -> None:
    wanted = Wanted(sources=("brick",), conditions=("W" * 60,), seeds=(1, 2))
    sheet = np.asarray(draw_contact_sheet(write_set(tmp_path / "set", wanted)).convert("L"))
    captions = sheet[GAP + TILE : GAP + TILE + CAPTION_HEIGHT]
    one, other = (captions[:, GAP + i * (TILE + GAP) :][:, :TILE] for i in (1, 2))
    assert (captions[:, GAP + 2 * (TILE + GAP) - GAP : GAP + 2 * (TILE + GAP)] == 255).all()
    assert (one[:, : TILE // 2] == other[:, : TILE // 2]).all()
    assert (one != other).any()


def test_small_pictures_are_not_enlarged_and_stand_in_the_middle(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", Wanted(size=(40, 20)))
    found = np.asarray(tile(draw_contact_sheet(store), 0, 1))
    inked = np.argwhere((found != 255).any(axis=2))
    top, left = (TILE - 20) // 2, (TILE - 40) // 2
    assert (inked.min(axis=0) >= [top, left]).all()
    assert (inked.max(axis=0) < [top + 20, left + 40]).all()
    assert len(inked) > 0.9 * 800


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_large_pictures_are_shrunk_with_their_aspect(tmp_path: Path, size: tuple[int, int]) -> None:
    store = write_set(tmp_path / "set", Wanted(size=size))
    found = read_thumbnail(store, next(store.read_records()).content.file, 60)
    assert max(found.size) == 60
    assert min(found.size) == 20
    assert found.mode == "RGB"


def test_of_an_unfinished_set_what_is_there(tmp_path: Path) -> None:
    assert shape(draw_contact_sheet(write_set(tmp_path / "set", unfinished=1))) == (2, 3)


def test_without_any_stimulus_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match="no stimulus is finished yet"):
        draw_contact_sheet(write_set(tmp_path / "set", unfinished=4))


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    file = next(store.read_records()).content.file
    (store.folder / file).write_bytes(b"no picture")
    with pytest.raises(StimgenError, match="not a readable PNG") as caught:
        draw_contact_sheet(store)
    assert file in str(caught.value)


def test_a_picture_outside_of_the_set_is_not_shown(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "private.png")
    with pytest.raises(StimgenError, match="leads out"):
        read_thumbnail(Store(write_set(tmp_path / "set").folder), "../private.png", 8)
