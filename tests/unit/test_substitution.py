"""Another trained network in the place of a protocol's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import alexnet

from stimgen.networks.vgg16 import Vgg16
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.protocol.substitution import NetworkChoice, substitute_network
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.reading.shipped import PROTOCOLS
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.workflow.generate import generate_set
from stimgen.workflow.repair import format_generate_command
from stimgen.workflow.resynthesize import resynthesize_stimuli

TRAINED = [name for name, file in PROTOCOLS.files().items() if "weights: imagenet" in file.read_text()]
SMALL = """
name: small
title: Textures by VGG-19
preparation: {size: 64}
sources: [{file: "skimage:brick"}]
network: {name: vgg19, weights: imagenet, pooling: maximum}
synthesis: {scales: 1, evaluations: 2}
conditions:
  - {id: one, layers: [conv1]}
  - {id: pixels, network: pixels, layers: [luma]}
"""


def load(folder: Path, text: str) -> LoadedProtocol:
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    return load_protocol(file)


def find_networks(loaded: LoadedProtocol) -> list[Any]:
    methods = (condition.resolved_method for condition in loaded.protocol.conditions)
    return [
        term.network for method in methods if isinstance(method, ObjectiveMethod) for term in method.terms
    ]


@pytest.mark.parametrize(
    "name", [name for name, file in PROTOCOLS.files().items() if "weights: imagenet" in file.read_text()]
)
def test_vgg16_takes_the_place_of_every_published_vgg19(name: str) -> None:
    loaded = substitute_network(load_protocol(name), NetworkChoice("vgg16", "random"))
    plan = make_plan(make_quick_protocol(loaded))
    assert plan.stimuli
    assert any(isinstance(network, Vgg16) for network in find_networks(plan.loaded))
    assert "vgg16 in place of vgg19" in str(loaded.protocol.title)
    assert loaded.protocol.name.endswith("-vgg16")


def test_layers_that_the_other_network_lacks_are_left_out_of_lists() -> None:
    loaded = substitute_network(load_protocol("heitz2021"), NetworkChoice("vgg16", "random"))
    before = load_protocol("heitz2021").protocol.conditions[0].layers
    missing = {"relu3_4", "relu4_4"}
    for condition in loaded.protocol.conditions:
        assert condition.layers == tuple(layer for layer in before or () if layer not in missing)
    assert "without relu3_4, relu4_4, which vgg16 does not have" in loaded.substitution["changes"]  # type: ignore[index]


def test_a_layer_named_alone_must_be_there() -> None:
    with pytest.raises(StimgenError, match="alexnet has no layer 'relu1_1'"):
        substitute_network(load_protocol("wallis2017_cnn"), NetworkChoice("alexnet", "random"))


def test_protocols_without_trained_networks_have_nothing_to_replace() -> None:
    with pytest.raises(StimgenError, match="no trained network"):
        substitute_network(load_protocol("smoke"), NetworkChoice("vgg16", "random"))


def test_the_same_network_changes_nothing() -> None:
    loaded = load_protocol("gatys2015")
    assert substitute_network(loaded, NetworkChoice("vgg19")) is loaded


def test_a_set_can_be_resynthesized_and_repaired_with_its_own_weights(tmp_path: Path) -> None:
    torch.manual_seed(1)
    file = tmp_path / "own.safetensors"
    save_file(
        {key: value.contiguous() for key, value in alexnet().features.state_dict(prefix="features.").items()},
        file,
    )
    text = SMALL.replace(
        "vgg19, weights: imagenet", f"alexnet, weights: {{file: own.safetensors, sha256: {'a' * 64}}}"
    )
    loaded = substitute_network(load(tmp_path, text), NetworkChoice(weights=str(file)))
    network = find_networks(loaded)[0]
    assert network.name == "alexnet"
    assert network.pooling == "maximum"
    assert network.weights.recipe("alexnet")["sha256"] == sha256_file(file)
    folder = tmp_path / "set"
    assert generate_set(loaded, folder).made == 2
    assert [result.problem for result in resynthesize_stimuli(folder, 2, "cpu", tmp_path)] == [None, None]
    assert f"--weights {file}" in format_generate_command(Store.open(folder))
    save_file({"other": torch.zeros(1)}, file)
    with pytest.raises(StimgenError, match="SHA-256"):
        resynthesize_stimuli(folder, 1, "cpu", tmp_path)
