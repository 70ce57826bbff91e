"""`stimgen show`: the files that it writes, the numbers behind them, and what it refuses."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.cli import main as cli
from stimgen.drawing.layers import LayerMaps
from stimgen.execution.inspection import Inspection, inspect_stimulus
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import run_generator
from stimgen.workflow.show import ShowOptions, show_stimulus

PROTOCOL = """\
name: tiny
preparation: {size: 32}
sources: [{file: "skimage:brick"}, {file: "skimage:coffee"}]
synthesis: {scales: 2, evaluations: 5}
conditions:
  - {id: control, method: original}
  - {id: plain, layers: [relu1_1]}
  - id: two
    objective:
      - {network: vgg19, layers: {relu1_1: 0.5, pool1: 2}, weight: 3}
      - {network: rectified_wavelets, layers: [scale1], regions: 2x2}
seeds: [1, 2]
"""
CPU = torch.device("cpu")


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(PROTOCOL)
    return tmp_path / "tiny.yaml"


def test_all_that_is_drawn(
    protocol: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = protocol.parent / "out"
    options = ["--condition", "two", "--source", "coffee", "--seed", "2", "--every", "2", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["stimgen", "show", str(protocol), "-o", str(folder), *options])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    told = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(told) == sorted(folder.iterdir())
    assert [file.name for file in told] == [
        "synthesis.png",
        "features_01_vgg19_relu1_1.png",
        "features_02_vgg19_pool1.png",
        "features_03_rectified_wavelets_scale1.png",
        "grams.png",
        "losses.png",
        "movie.gif",
        "movie.webp",
    ]
    for file in told[1:6]:
        with Image.open(file) as figure:
            assert min(figure.size) > 300
            assert len(figure.convert("RGB").getcolors(2**24)) > 100
    sizes = set()
    for file in told[6:]:
        with Image.open(file) as movie:
            # Evaluations 1, 2, 4 and 5 of both scales, and the synthesis.
            assert movie.n_frames == 9
            sizes.add(movie.size)
    assert sizes == {(2 * 192 + 24, 192 + 44)}


def inspection(protocol: Path, every: int = 3) -> Inspection:
    stimulus = make_plan(load_protocol(protocol)).stimuli[-1]
    return run_generator(inspect_stimulus(stimulus, stimulus.condition.method, every, CPU))


def test_losses_by_layer_add_up_to_the_terms(protocol: Path) -> None:
    found = inspection(protocol)
    names = ["term 1: vgg19 relu1_1", "term 1: vgg19 pool1", "term 2: rectified_wavelets scale1"]
    assert list(found.losses) == names
    trace = {(line.scale, line.evaluation): line.losses for line in found.result.traces[0]}
    for i, snapshot in enumerate(found.result.snapshots_of(0)):
        terms = trace[snapshot.scale, snapshot.evaluation].parts
        first, second, third = (found.losses[name][i] for name in names)
        # Of a picture that was rounded to 8 bits, and clipped.
        assert first + second == pytest.approx(terms["term_1"], rel=0.1)
        assert third == pytest.approx(terms["term_2"], rel=0.1)


def test_maps_are_those_of_source_and_synthesis(protocol: Path) -> None:
    found = inspection(protocol)
    sizes = {maps.layer: maps.source.shape for maps in found.maps}
    assert sizes == {"relu1_1": (64, 32, 32), "pool1": (64, 16, 16), "scale1": sizes["scale1"]}
    for maps in found.maps:
        assert maps.source.shape == maps.synthesis.shape
        assert not np.allclose(maps.source, maps.synthesis)


def test_gram_matrices_are_products_of_centred_maps() -> None:
    rng = np.random.default_rng(0)
    source, synthesis = rng.random((2, 5, 4, 3)) * np.array([1.0, 5.0, 0.0, 2.0, 3.0])[:, None, None]
    maps = LayerMaps("network", "layer", source, synthesis)
    assert list(maps.strongest(3)) == list(np.argsort(-source.reshape(5, -1).var(axis=1))[:3])
    order = maps.strongest(5)
    expected = np.cov(source[order[:4]].reshape(4, -1), bias=True)
    lengths = np.sqrt(np.diag(expected))
    ours, theirs = maps.grams()
    np.testing.assert_allclose(ours[:4, :4], expected / np.outer(lengths, lengths))
    assert not ours[4].any()  # a map that is the same everywhere has no length
    other = synthesis[order] - source[order].mean(axis=(1, 2), keepdims=True)
    assert theirs[0, 1] == pytest.approx(np.mean(other[0] * other[1]) / (lengths[0] * lengths[1]))


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ShowOptions(condition="plane"), "no stimulus of condition 'plane'.*control, plain, two.*'plain'"),
        (ShowOptions(source="coffe"), "no stimulus of source 'coffe'.*brick, coffee.*'coffee'"),
        (ShowOptions(condition="plain", seed=3), "no stimulus of seed 3 that fits the other options.*1, 2"),
        (ShowOptions(condition="control"), "'control' minimises no objective.*plain, two"),
    ],
)
def test_what_is_not_there_is_refused(protocol: Path, choice: ShowOptions, told: str) -> None:
    with pytest.raises(StimgenError) as caught:
        show_stimulus(load_protocol(protocol), choice, protocol.parent / "out")
    assert re.search(told, str(caught.value).replace("\n", " "))
    assert not (protocol.parent / "out").exists()


def test_without_matplotlib(protocol: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(StimgenError, match="`stimgen show` needs matplotlib") as caught:
        show_stimulus(load_protocol(protocol), ShowOptions(), protocol.parent / "out")
    assert 'pip install "stimgen[analysis]"' in str(caught.value)


def test_a_folder_that_cannot_be_one(protocol: Path) -> None:
    with pytest.raises(StimgenError, match="cannot be used as a folder"):
        show_stimulus(load_protocol(protocol), ShowOptions(condition="plain", device="cpu"), protocol)
