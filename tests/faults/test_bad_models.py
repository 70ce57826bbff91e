"""Models by their names: what cannot be used is told with the protocol's line, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stimgen.networks.torchvision_model import TorchvisionModel
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.workflow.generate import GenerateOptions, generate_set
from stimgen.workflow.layers import describe_layers

TEXT = """name: p
sources: [{file: skimage:coffee, size: SIZE}]
synthesis: {evaluations: 3, scales: 1}
conditions:
  - id: a
    network: NETWORK
    REST
"""
SQUEEZENET = "torchvision:squeezenet1_1"


def refusal(tmp_path: Path, network: str, rest: str = "depth: features.1", size: int = 64) -> str:
    text = TEXT.replace("NETWORK", network).replace("REST", rest).replace("SIZE", str(size))
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(StimgenError) as caught:
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    assert not (tmp_path / "set").exists()
    message = str(caught.value)
    assert message.count("\n") < 25
    return message


def line(tmp_path: Path, number: int) -> str:
    return f"{tmp_path / 'p.yaml'}:{number}: "


def write_weights(tmp_path: Path, **changes: torch.Tensor) -> str:
    state = {"features.0.weight": torch.ones(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
    save_file(
        state | {f"features.0.{key}": value for key, value in changes.items()}, tmp_path / "w.safetensors"
    )
    sha256 = sha256_file(tmp_path / "w.safetensors")
    return f"{{name: torchvision, model: squeezenet1_1, weights: {{file: w.safetensors, sha256: {sha256}}}}}"


def test_a_model_that_the_installed_version_lacks(tmp_path: Path) -> None:
    message = refusal(tmp_path, "{name: torchvision, model: convnext_tine}")
    assert message.startswith(line(tmp_path, 6))
    assert torch.__version__ not in message
    assert "'convnext_tiny'" in message


def test_a_node_that_is_not_there(tmp_path: Path) -> None:
    message = refusal(tmp_path, SQUEEZENET, "layers: [features.3.kat]")
    assert message.startswith(line(tmp_path, 7))
    assert "features.3.cat" in message


def test_regions_of_a_node_without_maps(tmp_path: Path) -> None:
    message = refusal(tmp_path, SQUEEZENET, "layers: [flatten]\n    regions: 2x2")
    assert message.startswith(line(tmp_path, 8))
    assert "'flatten'" in message
    assert "1x1" in message


def test_regions_that_need_receptive_fields_where_there_are_none(tmp_path: Path) -> None:
    rest = "layers: [flatten]\n    regions: {name: receptive_field, rows: 2, columns: 2}"
    assert refusal(tmp_path, SQUEEZENET, rest).startswith(line(tmp_path, 8))


def test_a_picture_that_is_too_small(tmp_path: Path) -> None:
    message = refusal(tmp_path, SQUEEZENET, "depth: features.12", size=16)
    smallest = TorchvisionModel(model="squeezenet1_1").smallest_side("features.12.cat")
    assert f"the smallest is {smallest} pixels" in message


def test_weights_with_another_hash(tmp_path: Path) -> None:
    network = write_weights(tmp_path)
    (tmp_path / "w.safetensors").write_bytes(b"other")
    message = refusal(tmp_path, network)
    assert message.startswith(line(tmp_path, 6))
    assert "SHA-256" in message


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weight": torch.ones(64, 3, 5, 5)}, "(64, 3, 5, 5)"),
        ({"bias": torch.full((64,), float("nan"))}, "not finite"),
    ],
)
def test_weights_with_another_shape_or_with_nan(
    tmp_path: Path, changes: dict[str, torch.Tensor], told: str
) -> None:
    message = refusal(tmp_path, write_weights(tmp_path, **changes))
    assert message.startswith(line(tmp_path, 6))
    assert told in message
    assert "features.0." in message


def test_weights_that_are_not_published(tmp_path: Path) -> None:
    network = "{name: torchvision, model: squeezenet1_1, weights: IMAGENET1K_V2}"
    message = refusal(tmp_path, network)
    assert message.startswith(line(tmp_path, 6))
    assert "IMAGENET1K_V1" in message


def test_published_weights_without_a_known_hash_say_how_to_get_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "{name: torchvision, model: resnet18, weights: IMAGENET1K_V1}", "depth: relu")
    assert message.startswith(line(tmp_path, 6))
    for part in ("https://", "sha256sum", "{file: FILE, sha256: HASH}"):
        assert part in message


def test_a_model_that_timm_lacks(tmp_path: Path) -> None:
    message = refusal(tmp_path, "timm:resnet26e")
    assert message.startswith(line(tmp_path, 6))
    assert "did you mean 'resnet26" in message


def test_timm_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stimgen.networks.timm_model.find_spec", {}.get)
    assert 'pip install "stimgen[timm]"' in refusal(tmp_path, "timm:resnet26d")


def test_published_weights_of_another_library(tmp_path: Path) -> None:
    message = refusal(tmp_path, "{name: timm, model: test_resnet, weights: imagenet}", "depth: layer1")
    assert message.startswith(line(tmp_path, 6))
    assert "{file: FILE, sha256: HASH}" in message


@pytest.mark.parametrize("named", ["vgg20", "torchvision:resnet19", "file"])
def test_layers_of_a_network_that_does_not_exist(named: str) -> None:
    with pytest.raises(StimgenError) as caught:
        describe_layers(named)
    assert caught.value.allowed
