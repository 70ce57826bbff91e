"""`stimgen.synthesize` takes an image in memory and gives what the protocol gives."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import stimgen
from stimgen.images.write import encode_png
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions.grid import Grid

QUICK = {"scales": 1, "evaluations": 4}
PROTOCOL = """\
name: folder
sources: [{id: source, file: source.png, crop: none, size: [24, 20]}]
conditions: [{id: stimulus, layers: [relu1_1], regions: 2x2, synthesis: {scales: 1, evaluations: 4}}]
seeds: [1, 7]
"""


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (20, 24, 3), dtype=np.uint8)


def test_the_bytes_are_those_of_the_protocol(image: NDArray[np.uint8], tmp_path: Path) -> None:
    (tmp_path / "source.png").write_bytes(encode_png(image))
    (tmp_path / "p.yaml").write_text(PROTOCOL)
    made = stimgen.generate(tmp_path / "p.yaml", tmp_path / "set")
    files = {record.content.seed: made.store.read(record.content.file) for record in made.records.values()}
    found = stimgen.synthesize(image, layers=["relu1_1"], regions="2x2", seeds=[1, 7], synthesis=QUICK)
    assert found.files == (files[1], files[7])
    assert [record["content"]["id"] for record in found.record["stimuli"]] == list(made.records)


@pytest.mark.parametrize("kind", ["file", "name", "pillow", "tensor", "floats"])
def test_every_kind_of_image_is_the_same_image(kind: str, image: NDArray[np.uint8], tmp_path: Path) -> None:
    (tmp_path / "source.png").write_bytes(encode_png(image))
    others: dict[str, Any] = {
        "file": tmp_path / "source.png",
        "name": str(tmp_path / "source.png"),
        "pillow": Image.fromarray(image),
        "tensor": torch.from_numpy(image).movedim(2, 0),
        "floats": image / 255.0,
    }
    one, other = (
        stimgen.synthesize(source, method="phase_scrambled", seeds=5) for source in (image, others[kind])
    )
    assert one.files == other.files
    assert np.array_equal(other.source, image)


def test_what_it_returns(image: NDArray[np.uint8]) -> None:
    found = stimgen.synthesize(image, layers=["relu1_1"], seeds=[1, 2, 3], synthesis=QUICK)
    assert (len(found), found.images.shape, found.images.dtype) == (3, (3, 20, 24, 3), np.float32)
    assert found.images.min() >= 0.0
    assert found.images.max() <= 1.0
    assert [len(trace) for trace in found.traces] == [4, 4, 4]
    assert [trace["total"].min() for trace in found.traces] == pytest.approx(found.losses)
    assert found._repr_png_().startswith(b"\x89PNG")


def test_a_tensor_where_it_was_computed(image: NDArray[np.uint8]) -> None:
    arguments: dict[str, Any] = {"layers": ["relu1_1"], "synthesis": QUICK, "device": "cpu"}
    array = stimgen.synthesize(image, **arguments).images
    tensor = stimgen.synthesize(image, **arguments, as_tensor=True).images
    assert isinstance(tensor, torch.Tensor)
    assert tensor.device.type == "cpu"
    assert np.array_equal(tensor.movedim(1, 3).numpy(), array)


def test_objects_are_what_they_are_called_in_yaml(image: NDArray[np.uint8]) -> None:
    words = stimgen.synthesize(
        image,
        layers=["relu1_1"],
        regions="2x2",
        statistic={"name": "gram", "centred": False},
        synthesis=QUICK,
    )
    objects = stimgen.synthesize(
        image,
        layers=["relu1_1"],
        regions=Grid(rows=2, columns=2),
        statistic=Gram(centred=False),
        synthesis=QUICK,
    )
    assert words.files == objects.files


def test_a_target_between_two_images(image: NDArray[np.uint8]) -> None:
    target = {"picture": "other", "weight": 0.5}
    arguments: dict[str, Any] = {"layers": ["relu1_1"], "target": target, "synthesis": QUICK}
    one, other = (
        stimgen.synthesize(image, references={"other": reference}, **arguments)
        for reference in (image, image[:, ::-1] // 2)
    )
    assert one.files != other.files


def test_nothing_is_left_on_the_disk(image: NDArray[np.uint8], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stimgen.synthesize(image, method="phase_scrambled")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_keeps_the_set(image: NDArray[np.uint8], tmp_path: Path) -> None:
    found = stimgen.synthesize(image, method="phase_scrambled", folder=tmp_path / "set")
    kept = stimgen.StimulusSet(tmp_path / "set")
    assert kept.complete
    assert [kept.store.read(record.content.file) for record in kept.records.values()] == list(found.files)


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"dept": "scale1"}, ("'dept'", "allowed: ", "did you mean 'depth'?")),
        (
            {"depth": "scal1"},
            ("'scal1'", "allowed: scale1, scale2, scale3, scale4", "did you mean 'scale1'?"),
        ),
        ({"depth": "scale1", "seeds": [1, 1]}, ("seed",)),
        ({"depth": "scale1", "device": "gpu"}, ("'gpu'", "allowed: auto, cpu")),
        ({}, ("`depth`", "`layers`")),
    ],
)
def test_a_wrong_keyword_is_named_without_a_file(
    keywords: dict[str, Any], said: tuple[str, ...], image: NDArray[np.uint8]
) -> None:
    with pytest.raises(stimgen.StimgenError) as caught:
        stimgen.synthesize(image, **keywords)
    assert [fragment for fragment in said if fragment not in str(caught.value)] == []
    assert ".yaml" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((8, 8, 4)), "(8, 8, 4)"),
        (np.zeros(8), "(8,"),
        (np.full((8, 8), 255.0), "255"),
        (np.full((8, 8), np.nan), "nan"),
        (np.zeros((8, 8), dtype=np.int64), "int64"),
        (np.zeros((8, 8, 3), dtype=np.uint16), "uint16"),
        (Image.new("P", (8, 8)), "palette"),
        ("nothing.png", "nothing.png"),
        ("skimage:brik", "did you mean 'brick'?"),
    ],
)
def test_an_image_that_cannot_be_used(wrong: Any, said: str) -> None:
    with pytest.raises(stimgen.StimgenError, match=".") as caught:
        stimgen.synthesize(wrong, depth="scale1")
    assert said in str(caught.value)
