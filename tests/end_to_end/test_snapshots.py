"""Pictures of a synthesis on its way: which are kept, what they show, and what becomes of them later."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.images.write import as_pixels, quantise
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.pyramid import shrink_images
from stimgen.workflow.generate import GenerateOptions, RunProgress, generate_set

PROTOCOL = """\
name: tiny
preparation: {size: 32}
sources: [{file: "skimage:coffee"}]
synthesis: {scales: 2, evaluations: 7}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: control, method: original}
seeds: [1, 2, 3]
output: {snapshots: 3}
"""


def make(folder: Path, text: str = PROTOCOL, batch_size: int | None = None) -> RunProgress:
    (folder / "tiny.yaml").write_text(text)
    return generate_set(
        load_protocol(folder / "tiny.yaml"), folder / "set", GenerateOptions("cpu", batch_size)
    )


def contents(folder: Path) -> list[RecordContent]:
    return [record.content for record in StimulusSet(folder / "set").records.values()]


def pictures(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "set" / "images").rglob("*.png")}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    assert make(tmp_path).made == 4
    return tmp_path


def test_the_first_every_so_many_th_and_the_last_of_every_scale_are_kept(made: Path) -> None:
    *textures, control = contents(made)
    for content in textures:
        places = [(file.scale, file.evaluation) for file in content.snapshots.files]
        assert places == [(scale, evaluation) for scale in (0, 1) for evaluation in (1, 3, 6, 7)]
        stem = Path(content.file).stem
        for file in content.snapshots.files:
            assert file.file == f"snapshots/{stem}_{file.scale}_{file.evaluation}.png"
            with Image.open(made / "set" / file.file) as picture:
                assert picture.size == ((16, 16), (32, 32))[file.scale]
    assert control.snapshots.files == ()
    assert verify_set(StimulusSet(made / "set").store).problems == []


def test_they_change_neither_ids_nor_pictures(made: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    make(tmp_path / "without", PROTOCOL.replace("{snapshots: 3}", "{array: false}"), batch_size=1)
    assert pictures(tmp_path / "without") == pictures(made)
    assert contents(tmp_path / "without")[0].snapshots is None


def test_who_shared_the_batch_changes_none(made: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    make(tmp_path / "alone", batch_size=1)
    assert contents(tmp_path / "alone") == contents(made)


def test_they_are_what_was_evaluated(made: Path) -> None:
    plan = make_plan(load_protocol(made / "tiny.yaml"))
    for stimulus, content in zip(plan.stimuli[:3], contents(made), strict=False):
        start = torch.from_numpy(stimulus.condition.start_pixels(stimulus.source, stimulus.seed))
        first = shrink_images(start.permute(2, 0, 1)[None], 16, 16)[0].permute(1, 2, 0).numpy()
        levels = np.asarray(Image.open(made / "set" / content.snapshots.files[0].file))
        np.testing.assert_array_equal(levels, quantise(first))
        trace = (made / "set" / content.trace.file).read_text().splitlines()[1:]
        method = stimulus.condition.method
        source = torch.from_numpy(stimulus.source.pixels()).permute(2, 0, 1)[None].repeat(2, 1, 1, 1)
        target = Objective(method.terms, method.synthesis.range, BatchSources(source, torch.tensor([0, 1])))
        for file in content.snapshots.files[4:]:
            picture = as_pixels(np.asarray(Image.open(made / "set" / file.file)))
            images = torch.from_numpy(picture).permute(2, 0, 1)[None].repeat(2, 1, 1, 1)
            told = float(trace[7 + file.evaluation - 1].split(",")[3])
            # The picture was rounded, and clipped, after it was evaluated.
            assert target.measure(images, torch.arange(2))[0, 0].item() == pytest.approx(told, rel=0.1)


def test_a_damaged_or_lost_one_is_a_problem(made: Path) -> None:
    first, second = (file.file for file in contents(made)[0].snapshots.files[:2])
    (made / "set" / first).unlink()
    (made / "set" / second).write_bytes(b"damaged")
    problems = verify_set(StimulusSet(made / "set").store).problems
    assert len(problems) == 2
    assert any(first in problem for problem in problems)
    assert f"{second}: its bytes do not match its record" in problems


@pytest.mark.parametrize("index", [True, False])
def test_a_lost_one_is_made_again(made: Path, *, index: bool) -> None:
    lost = made / "set" / contents(made)[1].snapshots.files[3].file
    before = lost.read_bytes()
    lost.unlink()
    if not index:
        (made / "set" / ".index").unlink()
    assert make(made).made == 1
    assert lost.read_bytes() == before
    assert make(made).made == 0


def test_other_ones_are_made_and_unwanted_ones_forgotten(made: Path) -> None:
    assert make(made, PROTOCOL.replace("snapshots: 3", "snapshots: 5")).made == 4
    assert [file.evaluation for file in contents(made)[0].snapshots.files] == [1, 5, 7] * 2
    assert make(made, PROTOCOL.replace("output: {snapshots: 3}\n", "")).made == 0
    assert {content.snapshots for content in contents(made)} == {None}
    assert make(made).made == 4
    assert verify_set(StimulusSet(made / "set").store).problems == []


def test_they_follow_names_and_layout(made: Path) -> None:
    changed = PROTOCOL.replace("texture", "fine").replace("snapshots: 3", "snapshots: 3, layout: nested")
    assert make(made, changed).made == 0
    for content in contents(made)[:3]:
        assert len(content.snapshots.files) == 8
        for file in content.snapshots.files:
            assert re.fullmatch(rf"snapshots/{content.id[:2]}/coffee_fine_s\d_\w{{8}}_\d_\d\.png", file.file)
    assert verify_set(StimulusSet(made / "set").store).problems == []


def test_an_optimisation_that_ends_early_keeps_its_last(tmp_path: Path) -> None:
    early = PROTOCOL.replace("evaluations: 7", "evaluations: 60, optimiser: {tolerance: 0.2}")
    make(tmp_path, early.replace("snapshots: 3", "snapshots: 100"))
    for content in contents(tmp_path)[:3]:
        lines = (tmp_path / "set" / content.trace.file).read_text().splitlines()[1:]
        last = [max(int(line.split(",")[1]) for line in lines if line[0] == scale) for scale in "01"]
        assert max(last) < 60
        assert [file.evaluation for file in content.snapshots.files] == [1, last[0], 1, last[1]]
