"""From a protocol with masks, canvases and steps to files: light, clipping and records."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stimgen import StimgenError, StimulusSet
from stimgen.execution.postprocess import postprocess
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.methods import SynthesisResult
from stimgen.workflow.generate import GenerateOptions, RunProgress, generate_set

PROTOCOL = """
name: shown
preparation:
  size: 24
  channels: grey
  mask: masks/*.png
  background: 0.4
  before:
    - {name: luminance, mean: set}
    - {name: contrast, rms: 0.3}
  canvas: {size: [64, 40], places: [{x: -16}, {x: 16, y: 4}]}
sources: [{file: "photos/*.png"}]
after:
  - {name: crop, box: [4, 0, 40, 40]}
  - {name: flat_top, diameter: 36, edge: 6}
  - {name: luminance, mean: 0.4}
  - {name: contrast, rms: 0.2}
synthesis: {scales: 1, evaluations: 4}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: whole, layers: [relu1_1], after: []}
  - {id: original, method: original}
output: {encoding: linear, bits: 16, array: true}
"""
Y, X = np.mgrid[:40, :40] + 0.5
DISTANCE = np.hypot(X - 20, Y - 20)
WEIGHTS = 0.5 + 0.5 * np.cos(np.pi * np.clip((DISTANCE - 12) / 6, 0, 1))


def write(folder: Path, name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 200, (30, 24), dtype=np.uint8)
    mask = np.zeros((30, 24), dtype=np.uint8)
    mask[7:23, 4:20] = 255
    for part, values in (("photos", levels), ("masks", mask)):
        (folder / part).mkdir(exist_ok=True)
        Image.fromarray(values).save(folder / part / f"{name}.png")


def make(folder: Path, text: str = PROTOCOL) -> RunProgress:
    (folder / "p.yaml").write_text(text)
    return generate_set(load_protocol(folder / "p.yaml"), folder / "set", GenerateOptions("cpu"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write(folder, "a", 1)
    write(folder, "b", 2)
    assert make(folder).made == 6
    return folder


def plan_of(folder: Path) -> ProtocolPlan:
    return make_plan(load_protocol(folder / "p.yaml"))


def contents(folder: Path, condition: str) -> dict[str, RecordContent]:
    records = StimulusSet(folder / "set").records.values()
    return {r.content.source.id: r.content for r in records if r.content.condition == condition}


def light(folder: Path, content: RecordContent) -> NDArray[np.float64]:
    """Return the light of a stimulus: its numbers, in a linear set."""
    return StimulusSet(folder / "set").image(content.id)[:, :, 0] / 65535.0


def object_of(folder: Path, name: str) -> NDArray[np.float64]:
    """Return the centre square of a photograph of 30 x 24 within its mask, read without stimgen."""
    with Image.open(folder / "photos" / f"{name}.png") as image:
        return np.asarray(image)[3:27].astype(float)[4:20, 4:20] / 255


def test_sources_match_over_the_mask_and_lie_on_their_places(made: Path) -> None:
    objects = {name: object_of(made, name) for name in "ab"}
    mean = np.mean([values.mean() for values in objects.values()])
    stimuli = StimulusSet(made / "set")
    for name, content in contents(made, "whole").items():
        original = stimuli.original(content.id)[:, :, 0] / 65535.0
        assert original.shape == (40, 64)
        # 24 pixels about 16 left, and 16 right and 4 up, of the middle of 64 x 40; the mask begins 4 inside.
        for top, left in ((12, 8), (8, 40)):
            found = original[top : top + 16, left : left + 16]
            assert found.mean() == pytest.approx(mean, abs=2e-5)
            assert found.std() / found.mean() == pytest.approx(0.3, abs=1e-4)
            assert np.corrcoef(found.ravel(), objects[name].ravel())[0, 1] == pytest.approx(1.0)
            original[top : top + 16, left : left + 16] = 0.4
        assert np.abs(original - 0.4).max() < 1e-4
        assert content.pixels["before"] == [
            {"name": "luminance", "mean": round(float(mean), 6)},
            {"name": "contrast", "rms": 0.3},
        ]


@pytest.mark.parametrize("condition", ["texture", "original"])
def test_luminance_and_contrast_inside_the_aperture_are_those_asked_for(made: Path, condition: str) -> None:
    for content in contents(made, condition).values():
        shown = light(made, content)
        assert shown.shape == (40, 40)
        assert content.clipped.saved == 0.0
        # Shown is background + weight (picture - background).
        picture = np.where(WEIGHTS > 0, 0.4 + (shown - 0.4) / np.maximum(WEIGHTS, 1e-9), 0.0)
        clear = WEIGHTS > 0.01
        mean = np.average(picture[clear], weights=WEIGHTS[clear])
        deviation = np.sqrt(np.average((picture[clear] - mean) ** 2, weights=WEIGHTS[clear]))
        assert mean == pytest.approx(0.4, abs=2e-4)
        assert deviation / mean == pytest.approx(0.2, abs=1e-3)
        assert np.abs(shown[WEIGHTS == 0] - 0.4).max() <= 0.5 / 65535


def test_records_say_what_was_done(made: Path) -> None:
    plan = plan_of(made)
    assert verify_set(StimulusSet(made / "set").store).problems == []
    for stimulus in plan.stimuli:
        content = contents(made, stimulus.condition.id)[stimulus.source.id]
        assert content.id == stimulus.id == content.compute_id()
        assert content.encoding == content.pixels["encoding"] == "linear"
        assert content.pixels["bits"] == 16
        assert content.pixels["mask"] != content.pixels["sha256"]
        names = [step["name"] for step in steps_of(content)]
        assert names == (
            [] if content.condition == "whole" else ["crop", "flat_top", "luminance", "contrast"]
        )
        assert content.size == ([64, 40] if content.condition == "whole" else [40, 40])


def steps_of(content: RecordContent) -> list[dict[str, Any]]:
    steps: Any = content.settings.get("after", [])
    return list(steps)


def test_losses_before_and_after_the_steps(made: Path) -> None:
    """What was made is the same; of a cropped picture there is no loss."""
    for name, content in contents(made, "texture").items():
        whole = contents(made, "whole")[name]
        assert content.losses
        assert whole.losses
        assert content.losses.saved is None
        assert content.losses.end == whole.losses.end
        assert content.losses.before_steps == whole.losses.before_steps == whole.losses.saved
    table = StimulusSet(made / "set").table
    assert table.loss_saved.isna().tolist() == [True, True, False, False, True, True]


def test_quality_compares_what_is_seen(made: Path) -> None:
    """The original, in its window, differs from its source there only by luminance and contrast."""
    for content in contents(made, "original").values():
        assert content.quality.largest_copy
        assert content.quality.largest_copy > 0.99
        assert content.quality.luminance_distance
        assert content.quality.luminance_distance < 0.01


def test_files_have_16_bits_and_declare_light(made: Path) -> None:
    stimuli = StimulusSet(made / "set")
    for content in contents(made, "whole").values():
        for file in (content.file, content.source.original.file):
            data = stimuli.store.read(file)
            assert data[24] == 16  # the depth in the header
            with Image.open(io.BytesIO(data)) as image:
                assert image.info["gamma"] == 1.0
        assert content.array
        array = np.load(io.BytesIO(stimuli.store.read(content.array.file)))
        outside = (array < -0.5 / 65535) | (array > 1 + 0.5 / 65535)
        assert content.clipped.saved == pytest.approx(outside.mean())
        assert np.array_equal(
            np.rint(np.clip(array.astype(float), 0, 1) * 65535), stimuli.image(content.id).astype(float)
        )


def test_the_sheet_shows_linear_light_as_srgb(made: Path) -> None:
    """The background, 0.4 of the light, is 170 of sRGB."""
    sheet = np.asarray(StimulusSet(made / "set").contact_sheet())
    values, counts = np.unique(sheet[6:120, 6:134].reshape(-1, 3), axis=0, return_counts=True)
    common = {tuple(value) for value, count in zip(values.tolist(), counts, strict=True) if count > 500}
    assert common == {(255, 255, 255), (170, 170, 170)}


def test_nothing_is_made_again(made: Path) -> None:
    assert make(made).made == 0


def test_srgb_makes_another_picture_with_the_same_light(tmp_path: Path) -> None:
    write(tmp_path, "a", 1)
    change = ("output: {encoding: linear, bits: 16, array: true}", "output: {array: true}")
    make(tmp_path, PROTOCOL.replace(*change))
    (content,) = contents(tmp_path, "original").values()
    values = StimulusSet(tmp_path / "set").image(content.id)[:, :, 0] / 255
    assert (content.encoding, content.pixels.get("encoding")) == ("srgb", None)
    shown = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    clear = DISTANCE < 12
    ground = ((0.4 + 0.055) / 1.055) ** 2.4
    assert shown[WEIGHTS == 0] == pytest.approx(ground, abs=2e-3)
    picture = ground + (shown - ground) / np.maximum(WEIGHTS, 1e-9)
    mean = np.average(picture[WEIGHTS > 0.05], weights=WEIGHTS[WEIGHTS > 0.05])
    assert mean == pytest.approx(0.4, abs=2e-3)
    assert picture[clear].std() > 0


class TestMistakes:
    """Found before anything is made wherever that can be."""

    def refusal(self, folder: Path, *changes: tuple[str, str]) -> str:
        text = PROTOCOL
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        with pytest.raises(StimgenError) as caught:
            make(folder, text)
        assert not list((folder / "set").glob("images/*"))
        return str(caught.value)

    def flat(self, folder: Path) -> None:
        write(folder, "a", 1)
        Image.new("L", (24, 30), 90).save(folder / "photos" / "a.png")

    def test_a_flat_source_before(self, tmp_path: Path) -> None:
        self.flat(tmp_path)
        found = self.refusal(tmp_path)
        assert f"p.yaml:8: {tmp_path}" not in found
        assert "p.yaml:8: before: step 2, contrast: the picture is flat" in found

    def test_a_flat_source_after(self, tmp_path: Path) -> None:
        self.flat(tmp_path)
        found = self.refusal(
            tmp_path,
            ("    - {name: contrast, rms: 0.3}\n", ""),
            ("box: [4, 0, 40, 40]", "box: [10, 14, 8, 8]"),
            ("diameter: 36, edge: 6", "edge: 1"),
        )
        assert "p.yaml:12: after: source 'a': step 4, contrast: the picture is flat" in found

    def test_a_black_source_has_no_contrast_for_the_set(self, tmp_path: Path) -> None:
        write(tmp_path, "a", 1)
        Image.new("L", (24, 30), 0).save(tmp_path / "photos" / "a.png")
        found = self.refusal(tmp_path, ("rms: 0.3", "rms: set"))
        assert "p.yaml:8: source 'a': step 2, contrast: the picture is black" in found

    def test_an_empty_mask(self, tmp_path: Path) -> None:
        write(tmp_path, "a", 1)
        Image.new("L", (24, 30), 0).save(tmp_path / "masks" / "a.png")
        assert "p.yaml:6: mask: " in (found := self.refusal(tmp_path))
        assert "masks/a.png: is black within the crop" in found

    def test_a_mask_that_changed_after_planning(self, tmp_path: Path) -> None:
        write(tmp_path, "a", 1)
        (tmp_path / "p.yaml").write_text(PROTOCOL)
        (source,) = plan_of(tmp_path).sources
        Image.new("L", (24, 30), 255).save(tmp_path / "masks" / "a.png")
        with pytest.raises(
            StimgenError, match=r"masks/a\.png: the source has changed since the plan was made"
        ):
            source.pixels()

    def test_a_synthesised_picture_that_a_step_cannot_change_fails_alone(self, tmp_path: Path) -> None:
        write(tmp_path, "a", 1)
        write(tmp_path, "b", 2)
        (tmp_path / "p.yaml").write_text(PROTOCOL)
        stimuli = plan_of(tmp_path).stimuli[:2]
        sources = {stimulus.source.id: stimulus.source.stage() for stimulus in stimuli}
        images = [np.full((40, 64, 1), 0.3, dtype=np.float32), sources["b"].pixels]
        finished = postprocess(
            SynthesisResult(images, None, [[], []], ["made", "made"], None, []), stimuli, sources, None
        )
        problem, fine = finished.problems
        assert fine is None
        assert problem
        assert problem.startswith("after: source 'a': step 4, contrast: the picture is flat")


def test_a_start_image_is_of_the_canvas_size(tmp_path: Path) -> None:
    write(tmp_path, "a", 1)
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (80, 128), dtype=np.uint8)).save(
        tmp_path / "start.png"
    )
    text = (
        PROTOCOL.replace("evaluations: 4", "evaluations: 4, start: {file: start.png}")
        .replace("size: 24", "size: 24\n  crop: none")
        .replace("box: [4, 0, 40, 40]", "box: [4, 0, 30, 36]")
        .replace("diameter: 36", "diameter: 30")
    )
    (tmp_path / "p.yaml").write_text(text)
    stimulus = plan_of(tmp_path).stimuli[0]
    start = stimulus.condition.start_pixels(stimulus.source, 1)
    with Image.open(tmp_path / "start.png") as image:
        expected = np.asarray(image.resize((64, 40), Image.Resampling.LANCZOS), dtype=float) / 255
    assert np.allclose(start[:, :, 0], expected, atol=1e-6)
