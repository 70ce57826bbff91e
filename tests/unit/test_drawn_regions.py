"""Regions that a picture draws: weights, edges, sizes, identity, and maps that are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from stimgen.execution.context import RunContext
from stimgen.execution.dask.bundle import pack
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.reading.errors import StimgenError
from stimgen.statistics.regions import Positions
from stimgen.statistics.regions.drawn_regions import DrawnRegions
from stimgen.statistics.regions.map_shares import MapShares, read_labels
from stimgen.stimulus_set.store import Store

RED, BLUE = (200, 30, 30), (10, 10, 220)
PROTOCOL = """name: scene
preparation: {size: 64}
sources: [{file: a.png}]
regions: {name: map, file: regions.png, edge: 4}
conditions:
  - {id: drawn, layers: [relu1_1]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    halves().save(tmp_path / "regions.png")
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    return tmp_path


def halves(width: int = 64, height: int = 64) -> Image.Image:
    """Return a map whose left half is one region, its right half another."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def planned(folder: Path) -> ProtocolPlan:
    return make_plan(load_protocol(folder / "p.yaml"))


def weights(layout: DrawnRegions, height: int, width: int) -> NDArray[np.float64]:
    found = np.zeros((layout.count_regions(width, height), height, width))
    for k, window in enumerate(layout.windows(Positions(height, width))):
        found[k, window.rows, window.columns] = window.weights
    return found


def test_hard_edges_are_where_they_are_drawn(folder: Path) -> None:
    found = weights(DrawnRegions(file=str(folder / "regions.png")), 16, 16)
    # Blue, whose first value is smaller, is the first region.
    np.testing.assert_array_equal(found[0], np.tile([0.0] * 8 + [1.0] * 8, (16, 1)))
    np.testing.assert_array_equal(found[1], 1 - found[0])


def test_positions_between_two_regions_belong_to_both_by_area(folder: Path) -> None:
    blue, red = weights(DrawnRegions(file=str(folder / "regions.png")), 5, 5)
    np.testing.assert_allclose(blue[2], [0, 0, 0.5, 1, 1], atol=1e-12)
    np.testing.assert_allclose(red[2], [1, 1, 0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize("edge", [8, 8 / 64])
def test_soft_edges_are_raised_cosines_of_the_stated_width(folder: Path, edge: float) -> None:
    blue, _ = weights(DrawnRegions(file=str(folder / "regions.png"), edge=edge), 64, 64)
    # The mean over a pixel of a raised cosine about the border between the pixels 31 and 32, by its integral.
    borders = np.clip((np.arange(65) - 32.0) / 8 + 0.5, 0, 1)
    integral = 8 * (borders / 2 - np.sin(np.pi * borders) / (2 * np.pi))
    wanted = np.diff(integral) + np.where(np.arange(64) >= 36, 1.0, 0.0)
    np.testing.assert_allclose(blue[20], wanted, atol=0.02)
    assert np.flatnonzero((blue[20] > 0) & (blue[20] < 1)).tolist() == list(range(28, 36))


def test_a_larger_picture_repeats_the_map_s_pixels(tmp_path: Path) -> None:
    halves(8, 8).save(tmp_path / "small.png")
    halves(64, 64).save(tmp_path / "large.png")
    small, large = (
        weights(DrawnRegions(file=str(tmp_path / name)), 64, 64) for name in ("small.png", "large.png")
    )
    np.testing.assert_array_equal(small, large)


@settings(max_examples=40)
@given(
    st.integers(2, 6),
    st.tuples(st.integers(3, 30), st.integers(3, 30)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.floats(0, 12),
    st.integers(0, 99),
)
def test_weights_sum_to_one_whatever_is_drawn(
    count: int, size: tuple[int, int], shape: tuple[int, int], edge: float, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, count, size)
    _, labels = np.unique(labels, return_inverse=True)
    total = np.zeros(shape)
    for share in MapShares(labels.reshape(size), edge, shape).compute():
        assert share.weights.min() >= 0
        assert share.weights.sum() > 0
        total[share.rows, share.columns] += share.weights
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_the_identity_has_the_map_s_content_and_not_its_name(folder: Path) -> None:
    first = planned(folder).stimuli[0].id
    (folder / "regions.png").rename(folder / "other.png")
    (folder / "p.yaml").write_text(PROTOCOL.replace("regions.png", "other.png"), encoding="utf-8")
    assert planned(folder).stimuli[0].id == first
    halves(32, 32).save(folder / "other.png")
    assert planned(folder).stimuli[0].id != first


def test_a_map_that_changes_after_planning_is_refused(folder: Path) -> None:
    plan = planned(folder)
    halves(32, 32).save(folder / "regions.png")
    (term,) = plan.conditions[0].method.to_dict()["terms"]
    read_labels.cache_clear()  # as in the process of a worker
    with pytest.raises(StimgenError, match="changed"):
        DrawnRegions(**term["regions"]).windows(Positions(8, 8))


def antialiased() -> Image.Image:
    image = Image.new("L", (640, 640), 0)
    ImageDraw.Draw(image).ellipse((100, 100, 500, 500), fill=255)
    return image.resize((64, 64), Image.Resampling.BICUBIC).convert("RGB")


def with_a_dot() -> Image.Image:
    image = halves()
    image.putpixel((10, 20), (0, 255, 0))
    return image


def enlarged_noise() -> Image.Image:
    noise = Image.effect_noise((64, 64), 90)
    return noise.resize((640, 640), Image.Resampling.BICUBIC)


REFUSED = {
    "smoothed": (antialiased(), "3 pixels wide"),
    "one pixel": (with_a_dot(), "#00ff00"),
    "many": (
        Image.effect_noise((64, 64), 90).resize((640, 640), Image.Resampling.BICUBIC).convert("RGB"),
        "wide",
    ),
    "colours": (Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)), "wide|allowed"),
    "one colour": (Image.new("RGB", (64, 64), RED), "1x1"),
    "proportions": (halves(64, 48), "64 x 48"),
    "transparent": (Image.new("RGBA", (64, 64), (255, 0, 0, 0)), "transparent"),
}


@pytest.mark.parametrize(("picture", "said"), REFUSED.values(), ids=REFUSED)
def test_bad_maps_are_refused_with_the_file_and_help(folder: Path, picture: Image.Image, said: str) -> None:
    picture.save(folder / "regions.png")
    with pytest.raises(StimgenError) as caught:
        planned(folder)
    text = str(caught.value)
    assert "regions.png" in text
    assert "p.yaml:4" in text
    assert len(text.split("\n")) < 6
    assert any(word in text for word in said.split("|"))


def test_workers_without_the_file_get_it(folder: Path) -> None:
    plan = planned(folder)
    bundle = pack(RunContext(plan, Store.create(folder / "set"), torch.device("cpu"), 1))
    assert bundle["protocol/regions.png"] == (folder / "regions.png").read_bytes()


def test_a_map_must_be_there_and_in_the_protocol_s_folder(folder: Path) -> None:
    (folder / "inner").mkdir()
    for name in ("p.yaml", "a.png"):
        shutil.copy(folder / name, folder / "inner" / name)
    with pytest.raises(StimgenError, match="no such image file"):
        planned(folder / "inner")
    text = PROTOCOL.replace("regions.png", "../regions.png")
    (folder / "inner" / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StimgenError, match="outside") as caught:
        planned(folder / "inner")
    assert "p.yaml:4" in str(caught.value)
    assert make_plan(load_protocol(folder / "inner" / "p.yaml"), folder).stimuli[0].id
