"""Regions from protocol to pictures: drawn by `plan --regions`, used by `generate`, refused with a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimgen.cli import main as cli
from stimgen.protocol.load import load_protocol
from stimgen.stimulus_set import StimulusSet
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """\
name: regions
preparation: {size: 32}
sources:
  - {file: "skimage:coffee"}
  - {file: "skimage:brick"}
network: vgg19
synthesis: {scales: 2, evaluations: 8}
conditions:
  - {id: metamer, depth: pool1, regions: {name: polar, aspect: 1}}
  - {id: texform, depth: pool2, regions: {name: receptive_field, rows: 2, columns: 2}}
  - id: published
    depth: pool1
    statistic: {normalisation: gatys2016}
    regions: {name: receptive_field, rows: 3, columns: 3, weighting: features, compat: true}
  - id: two-layouts
    objective:
      - {layers: [relu1_1], regions: 2x3}
      - {layers: [pool1], regions: {name: polar, fixation: [-0.5, 0.5]}}
      - {layers: [pool2], regions: 2x3}
  - {id: control, method: original}
"""


@pytest.fixture
def protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "p.yaml"
    file.write_text(PROTOCOL)
    return file


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.usefixtures("protocol")
def test_plan_draws_the_regions_of_every_condition_and_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "plan", "p.yaml", "--json", "--regions", "new/drawn") == 0
    said = capsys.readouterr()
    assert "10 pictures" in said.err
    assert str(Path("new/drawn")) in said.err
    assert len(json.loads(said.out)["conditions"]) == 5
    names = {
        f"{source}_{name}.png"
        for source in ("coffee", "brick")
        for name in ("metamer", "texform", "published", "two-layouts", "two-layouts_2")
    }
    assert {file.name for file in Path("new/drawn").iterdir()} == names
    pictures = {name: np.asarray(Image.open(Path("new/drawn") / name)) for name in names}
    assert {picture.shape[1] for picture in pictures.values()} == {768}
    assert len({picture.tobytes() for picture in pictures.values()}) == 10
    # The fixation is left of the picture: a red arrow at its left border, which a grid has not.
    red = {name: (picture == (220, 20, 30)).all(2).nonzero()[1] for name, picture in pictures.items()}
    assert red["coffee_two-layouts_2.png"].max() < 40
    assert not len(red["coffee_two-layouts.png"])


@pytest.mark.usefixtures("protocol")
def test_pictures_that_cannot_be_written_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "plan", "p.yaml", "--regions", "p.yaml") == 2
    assert "cannot be used as a folder" in capsys.readouterr().err


def test_stimuli_are_made_in_such_regions(protocol: Path) -> None:
    progress = generate_set(load_protocol(str(protocol)), Path("set"), GenerateOptions("cpu"))
    assert progress.failures == []
    table = StimulusSet(Path("set")).table
    made = table[table.condition != "control"]
    assert len(made) == 8
    assert (made.loss_end < 0.7 * made.loss_start).all()


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ("{name: polar, scaling: 0.01}", "polar regions in 256 x 256 pixels"),
        ("{name: polar, scaling: -1}", "scaling: should be greater than or equal to 0.01"),
        ("{name: polar, fixation: [0.5]}", "fixation"),
        ("{name: receptive_field, weighting: gramm}", "did you mean 'gram'"),
    ],
)
def test_regions_out_of_sense_are_refused_with_their_line(
    regions: str,
    said: str,
    protocol: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = PROTOCOL.replace("{name: polar, aspect: 1}", regions).replace("size: 32", "size: 256")
    protocol.write_text(text)
    assert called(monkeypatch, "plan", "p.yaml") == 2
    message = capsys.readouterr().err
    assert message.startswith("p.yaml:9: ")
    assert said in message
