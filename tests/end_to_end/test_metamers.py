"""Metamers and their proof: the same however a set is made, and to be computed again from its files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from stimgen import StimgenError, StimulusSet
from stimgen.execution.proof import prover
from stimgen.execution.proof.null_pictures import choose_null_pairs
from stimgen.experiment.pictures.validation import find_unfitness
from stimgen.experiment.schema.stimuli import StimulusSettings
from stimgen.images.prepare import Preparation
from stimgen.images.read import find_skimage_file, read_image_file
from stimgen.networks import DeviceSpec
from stimgen.networks.squeezenet1_0 import Squeezenet10
from stimgen.networks.vgg19 import Vgg19
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.identity import sha256_file
from stimgen.report.page import write_page
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.tensors import stack_pictures
from stimgen.workflow.generate import GenerateOptions, generate_set

SHARED = Path(__file__).resolve().parents[3] / "shared" / "weights" / "squeezenet1_0-imagenet.safetensors"
PROTOCOL = """
name: metamers
preparation: {size: 32}
sources: [{file: "skimage:coffee"}, {file: "skimage:chelsea"}]
network: vgg19
statistic: content
synthesis: {scales: 1, evaluations: 40, optimiser: lbfgsb, range: bounds}
conditions:
  - {id: metamer, layers: [relu2_1]}
  - {id: far, layers: [relu2_1], synthesis: {evaluations: 1}}
  - {id: texture, layers: [relu1_1], statistic: gram, synthesis: {evaluations: 2}}
proof: {layers: [pool1]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    folder = tmp_path_factory.mktemp("metamers")
    (folder / "p.yaml").write_text(PROTOCOL)
    generate_set(load_protocol(folder / "p.yaml"), folder / "set", GenerateOptions("cpu", 3))
    return StimulusSet(folder / "set")


def by_condition(stimuli: StimulusSet, condition: str) -> list[Any]:
    return [one.content for one in stimuli.records.values() if one.content.condition == condition]


def test_the_proof_can_be_computed_again_from_the_files(made: StimulusSet) -> None:
    extract = Vgg19().load(["pool1", "relu2_1"], DeviceSpec(torch.device("cpu")))
    for content in by_condition(made, "metamer"):
        pixels = [np.float32(levels / 255) for levels in (made.original(content.id), made.image(content.id))]
        with torch.no_grad():
            maps = extract(stack_pictures(pixels, torch.device("cpu")))
        proof = content.quality.metamer
        assert [(layer.layer, layer.matched) for layer in proof.layers] == [
            ("pool1", False),
            ("relu2_1", True),
        ]
        for layer in proof.layers:
            source, own = maps[layer.layer].flatten(1).double().numpy()
            distance = np.linalg.norm(source - own) / np.linalg.norm(source)
            found = layer.found
            assert found.pearson == pytest.approx(pearsonr(source, own)[0], rel=1e-4)
            assert found.spearman == pytest.approx(spearmanr(source, own)[0], rel=1e-4)
            assert found.distance == pytest.approx(distance, rel=1e-3)
            assert found.snr == pytest.approx(-20 * np.log10(distance), rel=1e-3)


def test_one_that_was_made_is_better_than_unrelated_pictures_and_its_start_is_not(made: StimulusSet) -> None:
    for content in by_condition(made, "metamer"):
        (layer,) = content.quality.metamer.matched
        assert (content.quality.metamer.better, layer.share) == (True, 0.0)
        assert layer.found.pearson > layer.null_best.pearson > layer.null_median.pearson
        assert layer.found.distance < layer.null_best.distance < layer.null_median.distance
    for content in by_condition(made, "far"):
        assert not content.quality.metamer.better
        assert content.quality.metamer.matched[0].share >= 0.01
    assert all(content.quality.metamer is None for content in by_condition(made, "texture"))


def test_the_proof_is_the_same_however_it_is_made_and_pairs_are_chosen_once(
    made: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = []

    def choose(*given: Any) -> Any:
        chosen.append(choose_null_pairs(*given))
        return chosen[-1]

    monkeypatch.setattr(prover, "choose_null_pairs", choose)
    (tmp_path / "p.yaml").write_text(PROTOCOL.replace("pool1]}", "pool1], pairs: 200}"))
    generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu", 1))
    again = StimulusSet(tmp_path / "set")
    assert {key: record.content for key, record in again.records.items()} == {
        key: record.content for key, record in made.records.items()
    }
    # Four batches of one stimulus each, of two conditions that match the same layer.
    assert len(chosen) == 1


def test_the_null_is_kept_beside_the_set_and_is_no_part_of_it(made: StimulusSet) -> None:
    (kept,) = made.folder.glob(".kept-null-*.json")
    layers = json.loads(kept.read_bytes())["layers"]
    assert [len(layers[name][measure]) for name in layers for measure in layers[name]] == [200] * 8
    assert verify_set(Store.open(made.folder)).sound


def test_pairs_are_of_different_photographs_and_sources_come_first(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL)
    plan = make_plan(load_protocol(tmp_path / "p.yaml"))
    for shape in ((32, 32, 3), (24, 32, 1)):
        chosen = choose_null_pairs(plan, shape, 200)
        assert len(set(chosen.pairs)) == 200
        assert all(chosen.pictures[i].photograph != chosen.pictures[j].photograph for i, j in chosen.pairs)
        assert all(picture.read().shape == shape for picture in chosen.pictures)
        assert len({json.dumps(picture.recipe) for picture in chosen.pictures}) == len(chosen.pictures)
    chosen = choose_null_pairs(plan, (32, 32, 3), 200)
    assert chosen.sources == 2
    assert all(chosen.pictures[i].is_source for i in chosen.pairs[0])


def test_experiments_refuse_what_is_no_metamer(made: StimulusSet) -> None:
    settings = {"sets": ["set"], "not_converged": "show", "copies": "show"}
    for content in by_condition(made, "far"):
        reason = find_unfitness(StimulusSettings(**settings), content)
        assert re.match(r"is no metamer of its source \(relu2_1: [\d.]+% of unrelated pairs", reason or "")
        assert find_unfitness(StimulusSettings(**settings, not_metamers="show"), content) is None
    for content in (*by_condition(made, "metamer"), *by_condition(made, "texture")):
        assert find_unfitness(StimulusSettings(**settings), content) is None


def test_the_page_shows_the_proof(made: StimulusSet, tmp_path: Path) -> None:
    with (tmp_path / "page.html").open("wb") as stream:
        write_page(Store.open(made.folder), stream)
    page = (tmp_path / "page.html").read_text()
    rows = re.findall(
        r"<th scope=\"row\">(\w+)</th><td>vgg19</td><td>relu2_1</td>.*?<td>(\d of \d)</td>", page
    )
    assert rows == [("metamer", "2 of 2"), ("far", "0 of 2")]
    assert "Not a metamer" in page


@pytest.mark.skipif(not SHARED.exists(), reason="no shared: weights of SqueezeNet")
def test_a_trained_head_tells_classes() -> None:
    weights = {"name": "file", "file": str(SHARED), "sha256": sha256_file(SHARED)}
    network = Squeezenet10(weights=weights, pooling="maximum")
    classifier = network.load_classifier(DeviceSpec(torch.device("cpu")))
    assert classifier is not None
    images = [read_image_file(find_skimage_file(name)) for name in ("chelsea", "coffee")]
    pictures = [Preparation(size=224).prepare(image) for image in images]
    scores = classifier(stack_pictures(pictures, torch.device("cpu")))
    assert [classifier.classes[i] for i in scores.argmax(1)] == ["Egyptian cat", "espresso"]


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ("proof: {pairs: 20}", "p.yaml:12: proof.pairs: should be greater than or equal to 200, not 20"),
        ("proof: {layers: [relu9_9]}", "p.yaml:12: proof: vgg19 has no layer 'relu9_9'"),
        ("proof: {layers: some}", "allowed: all, matched"),
        ("proof: {pairs: 100000}", "make"),
    ],
)
def test_proofs_that_cannot_be(proof: str, said: str, tmp_path: Path) -> None:
    text = PROTOCOL.replace("proof: {layers: [pool1]}", proof)
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(StimgenError) as caught:
        choose_null_pairs(make_plan(load_protocol(tmp_path / "p.yaml")), (32, 32, 3), 100_000)
    assert said in str(caught.value)


def test_a_proof_needs_metamers(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL.replace("statistic: content", "statistic: gram"))
    with pytest.raises(StimgenError, match=r"p.yaml:12: no condition makes metamers"):
        load_protocol(tmp_path / "p.yaml")
