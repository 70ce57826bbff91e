"""What records say of quality: the same however a set is made, and to be computed again from its files."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import wasserstein_distance
from skimage.feature import match_template

from stimgen import StimgenError, StimulusSet
from stimgen.networks.vgg19 import Vgg19
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.synthesis.evaluation_network import EvaluationNetwork, LoadedEvaluationNetwork
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """
name: judged
preparation: {size: 40}
sources: [{file: "skimage:brick"}, {file: "skimage:coffee"}, {file: "skimage:chelsea"}]
synthesis: {scales: 1, evaluations: 12}
conditions: [{id: texture, layers: [relu1_1]}]
"""
JUDGE = "judge: {network: vgg19, layers: [relu1_1, pool1]}\n"


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("protocol") / "p.yaml"
    file.write_text(PROTOCOL + JUDGE)
    return file


@pytest.fixture(scope="module")
def made(protocol: Path) -> StimulusSet:
    generate_set(load_protocol(protocol), protocol.parent / "set", GenerateOptions("cpu", 3))
    return StimulusSet(protocol.parent / "set")


def contents(stimuli: StimulusSet) -> dict[str, Any]:
    return {key: record.content for key, record in stimuli.records.items()}


def test_it_is_the_same_however_it_is_made(made: StimulusSet, protocol: Path, tmp_path: Path) -> None:
    generate_set(load_protocol(protocol), tmp_path / "set", GenerateOptions("cpu", 1))
    assert contents(StimulusSet(tmp_path / "set")) == contents(made)


def test_it_can_be_computed_again_from_the_files(made: StimulusSet) -> None:
    for key, content in contents(made).items():
        found = content.quality
        picture, source = made.image(key) / 255, made.original(key) / 255
        if content.source.id == "brick":
            assert found.colour_distance is None
            assert found.luminance_distance == pytest.approx(
                wasserstein_distance(picture.ravel(), source.ravel()), rel=1e-3
            )
            crops = [picture[y : y + 32, x : x + 32, 0] for y in (0,) for x in (0,)]
            wanted = max(match_template(source[..., 0], crop).max() for crop in crops)
            assert found.largest_copy == pytest.approx(wanted, abs=1e-5)
        else:
            channels = found.colour_distance
            for i, distance in enumerate((channels.red, channels.green, channels.blue)):
                wanted = wasserstein_distance(picture[..., i].ravel(), source[..., i].ravel())
                assert distance == pytest.approx(wanted, rel=1e-4)
        with (made.folder / content.trace.file).open() as trace:
            totals = [float(line["total"]) for line in csv.DictReader(trace)]
        fallen = np.log(min(totals[:-1]) / min(totals)) / np.log(totals[0] / min(totals))
        assert found.converged is bool(fallen < 0.025)


def test_the_judge_is_in_records_and_in_the_table(made: StimulusSet) -> None:
    table = made.table
    for key, content in contents(made).items():
        judge = content.quality.judge
        assert (judge.network, judge.layers) == ("vgg19", ("relu1_1", "pool1"))
        assert table.loc[key, "judge"] == judge.score
        assert table.loc[key, "judge_halves"] == judge.halves
        pixels = [np.float32(levels / 255) for levels in (made.image(key), made.original(key))]
        bench = LoadedEvaluationNetwork(
            EvaluationNetwork(network=Vgg19(), layers=judge.layers), torch.device("cpu"), 2
        )
        (wanted,) = bench.score_pictures(pixels[:1], ["a"], {"a": pixels[1]})
        assert (judge.score, judge.halves) == pytest.approx(wanted, rel=1e-5)
    assert table.luminance_distance.notna().all()
    assert table.red_distance.notna().sum() == 2


def test_no_id_depends_on_the_judge_and_nothing_is_made_again(
    made: StimulusSet, protocol: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL)
    unjudged = load_protocol(tmp_path / "p.yaml")
    assert [stimulus.id for stimulus in make_plan(unjudged).stimuli] == list(made.records)
    assert generate_set(unjudged, tmp_path / "set", GenerateOptions("cpu")).made == 3
    assert all(c.quality.judge is None for c in contents(StimulusSet(tmp_path / "set")).values())
    assert generate_set(load_protocol(protocol), tmp_path / "set", GenerateOptions("cpu")).made == 0


def test_controls_are_measured_too(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 40}]\nconditions: [{id: a, method: original}]\n"
    )
    generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    (content,) = contents(StimulusSet(tmp_path / "set")).values()
    assert content.quality.largest_copy == pytest.approx(1.0)
    assert content.quality.luminance_distance == content.quality.spectrum_distance == 0
    assert content.quality.converged is None


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ("judge: {network: vgg19, layers: [relu9_9]}", "p.yaml:7: judge: vgg19 has no layer 'relu9_9'"),
        ("judge: {network: vgg19}", "p.yaml:7: judge: say either `depth` or `layers`"),
        ("judge: {network: vgg18, depth: pool1}", "did you mean 'vgg19'?"),
        ("judge: {layers: [relu1_1]}", "p.yaml:7: judge.network: is missing"),
        ("judge: {network: vgg19, layers: [relu1_1], regions: 2x2}", "unknown key 'regions'"),
    ],
)
def test_judges_that_cannot_be(judge: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL + judge)
    with pytest.raises(StimgenError) as caught:
        load_protocol(tmp_path / "p.yaml")
    assert said in str(caught.value)


def test_the_judge_of_the_quality_page(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
    (judge,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    (tmp_path / "p.yaml").write_text(PROTOCOL + judge)
    assert make_plan(load_protocol(tmp_path / "p.yaml")).stimuli


def test_a_source_that_is_too_small_for_the_judge(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL.replace("40", "20") + "judge: {network: vgg19, depth: pool5}\n")
    with pytest.raises(StimgenError, match=r"p.yaml:7: judge: source 'brick': 20 x 20 pixels are too few"):
        make_plan(load_protocol(tmp_path / "p.yaml"))


def test_weights_that_are_missing_are_found_before_anything_is_written(tmp_path: Path) -> None:
    weights = f"{{file: none.safetensors, sha256: {'a' * 64}}}"
    judge = f"judge: {{network: {{name: vgg19, weights: {weights}}}, depth: pool1}}"
    (tmp_path / "p.yaml").write_text(PROTOCOL + judge)
    with pytest.raises(StimgenError, match=r"p.yaml:7: .*none.safetensors"):
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    assert not (tmp_path / "set").exists()


def test_pictures_as_they_are_saved_are_compared(made: StimulusSet) -> None:
    """The luminance distance of the colour pictures, from the files, by hand."""
    for key, content in contents(made).items():
        if content.source.id != "brick":
            grey = [_encoded_luminance(Path(made.folder) / file) for file in _files(content)]
            wanted = np.abs(np.sort(grey[0]) - np.sort(grey[1])).mean()
            assert content.quality.luminance_distance == pytest.approx(wanted, abs=2e-6)
            del key


def _files(content: Any) -> tuple[str, str]:
    return content.file, content.source.original.file


def _encoded_luminance(file: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.asarray(Image.open(file)).reshape(-1, 3) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    y = light @ [0.2126, 0.7152, 0.0722]
    return np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
