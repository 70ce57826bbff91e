"""What `stimgen layers` says of networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stimgen.cli.layers_text import format_layers
from stimgen.cli.main import app
from stimgen.workflow.layers import describe_layers


def test_sizes_of_layers_are_those_worked_out_by_hand() -> None:
    (network,) = describe_layers("vgg19", size=100)
    layers = {layer.name: layer for layer in network.layers}
    pool3 = layers["pool3"]
    assert (pool3.channels, pool3.rows, pool3.columns) == (256, 12, 12)
    assert (pool3.stride, pool3.receptive_field) == (8.0, 52)
    assert pool3.gram_parameters == 256 * 257 // 2
    assert network.smallest_size == 32


def test_a_vector_has_no_positions() -> None:
    (network,) = describe_layers("torchvision:resnet18", size=64)
    layers = {layer.name: layer for layer in network.layers}
    assert layers["fc"].stride is None
    assert not layers["fc"].is_depth
    assert (layers["layer4.1.relu_1"].rows, layers["layer4.1.relu_1"].stride) == (2, 32.0)
    text = format_layers([network])
    assert "none: a vector" in text
    assert f"`depth: {network.deepest[-1]}` stands for relu, layer1.1.relu_1" in text


def test_the_networks_of_a_protocol_are_listed_once(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 64}]\n"
        "conditions:\n  - {id: a, depth: scale2}\n  - {id: b, depth: scale3}\n"
        "  - {id: c, network: vgg16, depth: pool1}\n"
    )
    found = describe_layers(str(tmp_path / "p.yaml"))
    assert [network.network["name"] for network in found] == ["embedded", "vgg16"]


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    app(["layers", "pixels", "--size", "50", "--json"], standalone_mode=False)
    (network,) = json.loads(capsys.readouterr().out)
    assert [(layer["name"], layer["rows"]) for layer in network["layers"]] == [("rgb", 50), ("luma", 50)]
