"""Normalised networks: every filter's mean activation is one, and every layer is the old one but for that."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save_file

from stimgen.images.read import find_skimage_file
from stimgen.networks import DeviceSpec
from stimgen.networks.alexnet import Alexnet
from stimgen.networks.squeezenet1_0 import Squeezenet10
from stimgen.networks.torchvision_network import TorchvisionNetwork
from stimgen.networks.vgg11 import Vgg11
from stimgen.networks.vgg19 import Vgg19
from stimgen.networks.weights import StateDictSpec
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.workflow.generate import GenerateOptions, generate_set
from stimgen.workflow.weights import NormalizationSettings, find_normalizable_networks, normalize_weights

CPU = DeviceSpec(torch.device("cpu"))


def images(side: int = 48) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def normalised(file: Path, base: object) -> dict:
    return {"name": "normalised", "base": base, "file": str(file), "sha256": sha256_file(file)}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Parts of two photographs, of different sizes, one of them grey."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, box in (("coffee", (100, 60, 228, 156)), ("brick", (0, 0, 96, 64))):
        Image.open(find_skimage_file(name)).crop(box).save(folder / f"{name}.png")
    return [str(folder / "coffee.png"), str(folder / "brick.png")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Weights with biases, as trained ones have, with which no filter down to pool3 is silent."""
    generator, state, inputs = torch.Generator().manual_seed(2), {}, 3
    for step in Vgg19().steps_up_to(["pool3"]):
        if step.name.startswith("conv"):
            shape, scale = (step.channels, inputs, 3, 3), (2 / (9 * inputs)) ** 0.5
            filters = scale * torch.randn(shape, generator=generator)
            # Without means, or what all maps have in common would silence some filters.
            state[f"{step.modules[0]}.weight"] = filters - filters.mean((1, 2, 3), keepdim=True)
            state[f"{step.modules[0]}.bias"] = 0.5 + torch.rand(step.channels, generator=generator)
            inputs = step.channels
    file = tmp_path_factory.mktemp("base") / "own.safetensors"
    save_file(state, file)
    return {"name": "file", "file": str(file), "sha256": sha256_file(file)}


@pytest.fixture(scope="module")
def means_file(tmp_path_factory: pytest.TempPathFactory, photographs: list[str], base: dict) -> Path:
    """Mean activations of a VGG-19 down to pool3, in the photographs."""
    file = tmp_path_factory.mktemp("means") / "means.json"
    sha256 = normalize_weights(
        NormalizationSettings("vgg19", base["file"], "average", "pool3"), photographs, file
    )
    assert sha256 == sha256_file(file)
    return file


def means_of(file: Path) -> dict[str, torch.Tensor]:
    return {layer: torch.tensor(numbers) for layer, numbers in json.loads(file.read_text())["means"].items()}


@pytest.mark.parametrize("pooling", ["average", "maximum"])
def test_new_features_times_means_are_the_old_ones_at_every_layer(
    means_file: Path, base: dict, pooling: str
) -> None:
    means = means_of(means_file)
    old = Vgg19(pooling=pooling, weights=base)
    new = Vgg19(pooling=pooling, weights=normalised(means_file, base))
    layers = tuple(step.name for step in old.steps_up_to(["pool3"]))
    before, after = (network.load(layers, CPU)(images()) for network in (old, new))
    scale = torch.ones(1)
    for layer in layers:
        scale = means.get(layer, scale)  # a rectification and a pooling have those of their convolution
        expected = before[layer]
        largest = expected.abs().max()
        found = after[layer] * scale.view(1, -1, 1, 1)
        torch.testing.assert_close(found / largest, expected / largest, rtol=0, atol=1e-5, msg=layer)


def test_every_filters_mean_activation_is_one(means_file: Path, base: dict, photographs: list[str]) -> None:
    """Over images and positions: the larger photograph counts more."""
    network = Vgg19(weights=normalised(means_file, base))
    extract = network.load(("relu1_2", "relu2_1", "relu3_4"), CPU)
    sums: dict[str, list] = {}
    for name in photographs:
        levels = np.asarray(Image.open(name).convert("RGB"), dtype=np.float32)
        tensor = torch.from_numpy(levels.transpose(2, 0, 1).copy())[None] / 255
        for layer, maps in extract(tensor).items():
            sums.setdefault(layer, []).append(maps[0].flatten(1))
    for parts in sums.values():
        np.testing.assert_allclose(torch.cat(parts, dim=1).mean(1), 1.0, rtol=1e-3)


def test_the_file_says_what_was_measured(means_file: Path, base: dict, photographs: list[str]) -> None:
    found = json.loads(means_file.read_text())
    assert [image["sha256"] for image in found["images"]] == [sha256_file(Path(n)) for n in photographs]
    assert (found["images"][0]["width"], found["images"][0]["height"]) == (128, 96)
    assert found["images"][1]["file"] == "brick.png"
    assert found["weights"] == {"name": "file", "network": "vgg19", "sha256": base["sha256"]}
    assert found["settings"] == {"pooling": "average", "padding": "zeros"}
    assert list(found["means"]) == [n for n in Vgg19().layers() if n.startswith("conv") and n[4] in "123"]


def test_means_are_the_same_bits_however_many_threads(tmp_path: Path, photographs: list[str]) -> None:
    before = torch.get_num_threads()
    hashes = set()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            measurement = NormalizationSettings("vgg11", "random", until="conv2_1")
            hashes.add(normalize_weights(measurement, photographs[:1], tmp_path / "means.json"))
    finally:
        torch.set_num_threads(before)
    assert len(hashes) == 1


def test_identity_has_the_base_and_the_means_and_no_path(means_file: Path, base: dict) -> None:
    network = Vgg19(weights=normalised(means_file, base))
    assert network.recipe()["weights"] == {
        "name": "normalised",
        "base": {"name": "file", "network": "vgg19", "sha256": base["sha256"]},
        "means_sha256": sha256_file(means_file),
    }
    assert network.load(("conv1_1",), CPU).weights_sha256 not in (base["sha256"], sha256_file(means_file))
    assert network.weights.trained
    assert not network.validation().validated
    assert "measured in other images" in network.validation().note


def test_random_weights_in_photographs(photographs: list[str], tmp_path: Path) -> None:
    file = tmp_path / "means.json"
    normalize_weights(NormalizationSettings("vgg19", "random", until="conv2_1"), photographs, file)
    network = Vgg19(weights=normalised(file, "random"))
    assert not network.weights.trained
    before, after = (net.load(("relu2_1",), CPU)(images())["relu2_1"] for net in (Vgg19(), network))
    found = after * means_of(file)["conv2_1"].view(1, -1, 1, 1)
    torch.testing.assert_close(found, before, rtol=1e-4, atol=1e-5)


def test_a_protocol_names_the_file_from_its_own_folder(tmp_path: Path, photographs: list[str]) -> None:
    """And the kind of weights is known by its keys."""
    sha256 = normalize_weights(
        NormalizationSettings("vgg11", "random", until="pool1"), photographs, tmp_path / "m.json"
    )
    (tmp_path / "p.yaml").write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 32}]\nsynthesis: {evaluations: 2}\n"
        f"network: {{name: vgg11, weights: {{base: {{seed: 0}}, file: m.json, sha256: {sha256}}}}}\n"
        "conditions: [{id: a, depth: pool1}, {id: b, depth: pool1, network: {pooling: maximum}}]\n"
    )
    assert (
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu")).made == 2
    )


class TestRefusals:
    def test_a_silent_filter_is_named(self, tmp_path: Path) -> None:
        """In a black picture without structure most filters see nothing."""
        Image.new("RGB", (40, 40)).save(tmp_path / "black.png")
        measurement = NormalizationSettings("vgg19", "random", until="relu1_2")
        with pytest.raises(StimgenError, match=r"filter \d+ of conv1_1 is silent in all images"):
            normalize_weights(measurement, [str(tmp_path / "black.png")], tmp_path / "means.json")
        assert not (tmp_path / "means.json").exists()

    def test_a_silent_filter_in_a_file(self, means_file: Path, tmp_path: Path) -> None:
        data = json.loads(means_file.read_text())
        data["means"]["conv2_1"][7] = 0.0
        (tmp_path / "means.json").write_text(json.dumps(data))
        with pytest.raises(StimgenError, match="filter 7 of conv2_1 is silent"):
            Vgg19(weights=normalised(tmp_path / "means.json", "random")).load(("conv1_1",), CPU)

    def test_a_filter_too_few_in_a_file(self, means_file: Path, base: dict, tmp_path: Path) -> None:
        data = json.loads(means_file.read_text())
        data["means"]["conv1_1"].pop()
        (tmp_path / "means.json").write_text(json.dumps(data))
        with pytest.raises(StimgenError, match="63 mean activations for the 64 filters of conv1_1"):
            Vgg19(weights=normalised(tmp_path / "means.json", base)).load(("conv1_1",), CPU)

    def test_a_file_of_another_format(self, means_file: Path, tmp_path: Path) -> None:
        (tmp_path / "means.json").write_text(json.dumps(json.loads(means_file.read_text()) | {"format": 2}))
        with pytest.raises(StimgenError, match="not a file of mean activations"):
            Vgg19(weights=normalised(tmp_path / "means.json", "random")).load(("conv1_1",), CPU)

    def test_another_hash(self, means_file: Path) -> None:
        weights = {**normalised(means_file, "random"), "sha256": "0" * 64}
        with pytest.raises(StimgenError, match="SHA-256"):
            Vgg19(weights=weights).load(("conv1_1",), CPU)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        weights = {"name": "normalised", "base": "random", "file": str(tmp_path / "x"), "sha256": "0" * 64}
        with pytest.raises(StimgenError, match="no such file of mean activations"):
            Vgg19(weights=weights).load(("conv1_1",), CPU)

    @pytest.mark.parametrize("text", ["{}", "no json", '{"means": {}}', "[]", "[" * 100_000])
    def test_another_kind_of_file(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "means.json").write_text(text)
        with pytest.raises(StimgenError, match="not a file of mean activations"):
            Vgg19(weights=normalised(tmp_path / "means.json", "random")).load(("conv1_1",), CPU)

    def test_other_weights_than_were_measured(self, means_file: Path) -> None:
        with pytest.raises(StimgenError, match="the mean activations are those of vgg19 with the weights"):
            Vgg19(weights=normalised(means_file, {"seed": 1})).load(("conv1_1",), CPU)

    def test_another_network(self, means_file: Path) -> None:
        with pytest.raises(StimgenError, match="those of vgg19"):
            Alexnet(weights=normalised(means_file, "random")).load(("conv1",), CPU)

    def test_a_network_that_is_no_chain(self, means_file: Path) -> None:
        with pytest.raises(StimgenError, match="chains"):
            Squeezenet10(weights=normalised(means_file, "random")).load(("conv1",), CPU)
        with pytest.raises(StimgenError, match="'resnet50' cannot be normalised"):
            normalize_weights(NormalizationSettings("resnet50"), [], Path("never"))

    def test_a_layer_deeper_than_was_measured(self, tmp_path: Path, photographs: list[str]) -> None:
        normalize_weights(
            NormalizationSettings("vgg11", "random", until="pool1"), photographs, tmp_path / "means.json"
        )
        network = Vgg11(weights=normalised(tmp_path / "means.json", "random"))
        assert network.load(("pool1",), CPU)
        with pytest.raises(StimgenError, match="stop before conv2_1"):
            network.load(("relu2_1",), CPU)

    @pytest.mark.parametrize(
        ("measurement", "told"),
        [
            (NormalizationSettings("vgg20"), "'vgg20' cannot be normalised"),
            (NormalizationSettings(weights="nowhere.pth"), "the weights cannot be read"),
            (NormalizationSettings(pooling="mean"), "unknown pooling 'mean'"),
            (NormalizationSettings(until="conv9_1", weights="random"), "vgg19 has no layer 'conv9_1'"),
        ],
    )
    def test_what_cannot_be_measured(self, measurement: NormalizationSettings, told: str) -> None:
        with pytest.raises(StimgenError, match=told):
            normalize_weights(measurement, ["skimage:coffee"], Path("never"))

    def test_a_field_of_its_own_is_needed(self) -> None:
        with pytest.raises(ValidationError):
            Vgg19(weights={"name": "normalised", "base": "random"})


def test_chains_are_those_of_convolutions_rectifications_and_poolings() -> None:
    assert list(find_normalizable_networks()) == ["alexnet", "vgg11", "vgg13", "vgg16", "vgg19"]


def test_weights_normalised_twice_are_refused_for_their_means(means_file: Path, base: dict) -> None:
    twice = normalised(means_file, normalised(means_file, base))
    with pytest.raises(StimgenError, match="the mean activations are those of"):
        Vgg19(weights=twice).load(("conv1_1",), CPU)


def test_alexnet_too(tmp_path: Path, photographs: list[str]) -> None:
    file = tmp_path / "means.json"
    normalize_weights(NormalizationSettings("alexnet", "random", until="relu2"), photographs, file)
    means, layers = means_of(file), ("relu1", "pool1", "conv2", "relu2")
    old: TorchvisionNetwork = Alexnet()
    before, after = (
        net.load(layers, CPU)(images(80)) for net in (old, old.replace(weights=normalised(file, "random")))
    )
    for layer, convolution in zip(layers, ("conv1", "conv1", "conv2", "conv2"), strict=True):
        found = after[layer] * means[convolution].view(1, -1, 1, 1)
        torch.testing.assert_close(found, before[layer], rtol=1e-4, atol=1e-4)


def test_a_blueprint_without_a_chain_is_no_chain() -> None:
    assert not StateDictSpec("x", {}).chain
