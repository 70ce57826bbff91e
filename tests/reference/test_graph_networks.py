"""Models by their names against torchvision's own forward pass, and against the hand-made SqueezeNet."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from skimage import data
from skimage.transform import resize
from torchvision.models.feature_extraction import create_feature_extractor

from stimgen.networks import DeviceSpec, Network
from stimgen.networks.model_skeleton import list_tensors
from stimgen.networks.normalisation import DEVIATION, MEAN
from stimgen.networks.squeezenet1_0 import Squeezenet10
from stimgen.networks.torchvision_model import TorchvisionModel, list_models
from stimgen.reading.identity import sha256_file

SPEC = DeviceSpec(torch.device("cpu"))
# Layers of the hand-made table, and torchvision's names of the same nodes.
SAME = {"conv1": "features.0", "relu1": "features.1", "pool1": "features.2", "pool4": "features.6"}
SAME |= {f"fire{n}": f"features.{n + 1 + (n > 4) + (n > 8)}.cat" for n in range(2, 10)}
SAME |= {"pool8": "features.11"}


def draw_images(height: int = 48, width: int = 64, count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(5))


def measure(network: Network, layers: tuple[str, ...], images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the maps of all layers, and the gradient of the sum of their mean squares."""
    leaf = images.clone().requires_grad_(True)
    maps = network.load(layers, SPEC)(leaf)
    loss = sum(values.float().square().mean((1, 2, 3)).sum() for values in maps.values())
    (gradient,) = torch.autograd.grad(loss, leaf)
    return {name: values.detach() for name, values in maps.items()} | {"gradient": gradient}


def assert_same_bits(weights: object, pooling: str) -> None:
    layers = ("conv1", "relu1", "pool1", "fire2", "fire4", "pool4", "fire8", "pool8", "fire9")
    expected = measure(Squeezenet10(weights=weights, pooling=pooling), layers, draw_images())
    network = TorchvisionModel(model="squeezenet1_0", weights=weights, pooling=pooling)
    found = measure(network, tuple(SAME[layer] for layer in layers), draw_images())
    assert torch.equal(found["gradient"], expected["gradient"])
    for layer in layers:
        assert torch.equal(found[SAME[layer]], expected[layer]), layer


def test_squeezenet_is_the_hand_made_one_bit_for_bit() -> None:
    assert_same_bits("random", "average")


@pytest.mark.parametrize("pooling", ["average", "maximum"])
def test_trained_squeezenet_is_the_hand_made_one_bit_for_bit(shared: Path, pooling: str) -> None:
    file = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    assert_same_bits({"name": "file", "file": str(file), "sha256": sha256_file(file)}, pooling)


def test_trained_squeezenet_names_what_it_sees(shared: Path) -> None:
    file = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    own = {"name": "file", "file": str(file), "sha256": sha256_file(file)}
    classifier = TorchvisionModel(model="squeezenet1_0", weights=own, pooling="maximum").load_classifier(SPEC)
    assert classifier is not None
    cat = torch.from_numpy(resize(data.chelsea(), (224, 224), anti_aliasing=True)).float().permute(2, 0, 1)
    best = int(classifier(cat.expand(2, -1, -1, -1))[0].argmax())
    assert classifier.classes[best] in ("Egyptian cat", "tabby", "tiger cat")


def test_what_is_known_of_layers_is_what_the_hand_made_table_says() -> None:
    table, network = Squeezenet10(), TorchvisionModel(model="squeezenet1_0")
    for ours, theirs in SAME.items():
        assert network.layers()[theirs] == table.layers()[ours]
        assert network.receptive_field(theirs) == table.receptive_field(ours)
        assert network.smallest_side(theirs, 2) == table.smallest_side(ours, 2)
        assert [network.map_side(theirs, side) for side in range(5, 60, 9)] == [
            table.map_side(ours, side) for side in range(5, 60, 9)
        ]


# A deep enough part of each kind of model, cheap to compute; tokens are compared after they became maps.
PARTS = {
    "convnext_tiny": ["features.1.0", "features.3.0"],
    "vit_b_32": ["conv_proj", "encoder.layers.encoder_layer_0"],
    "swin_t": ["features.1.1", "features.3.0"],
    "efficientnet_b0": ["features.2.0"],
    "regnet_y_400mf": ["stem", "trunk_output.block1"],
    "googlenet": ["conv2", "inception3a"],
}


def as_maps(values: torch.Tensor, channels: int, rows: int) -> torch.Tensor:
    if values.ndim == 3:  # without the class token
        return values[:, -(rows * rows) :].transpose(1, 2).unflatten(2, (rows, rows))
    return values if values.shape[1] == channels else values.permute(0, 3, 1, 2)


@pytest.mark.parametrize("model", [pytest.param(name, marks=pytest.mark.long) for name in PARTS])
@pytest.mark.filterwarnings(
    "ignore:The default weight initialization:FutureWarning"
)  # of GoogLeNet's, unused
def test_every_layer_is_torchvisions(model: str) -> None:
    network = TorchvisionModel(model=model, pooling="maximum")
    layers = tuple(network.layer_aliases().get(name, name) for name in PARTS[model])
    tensors, _ = network.weights.load_tensors(list_tensors(model, network.trace().cut(layers)))
    extra = {"transform_input": True, "init_weights": False} if model == "googlenet" else {}
    theirs = torchvision.models.get_model(model, weights=None, **extra).eval()
    assert not theirs.load_state_dict(tensors, strict=False).unexpected_keys
    extract = create_feature_extractor(theirs, list(layers), suppress_diff_warning=True)
    side = 224 if model == "vit_b_32" else 64
    images = draw_images(side, side, count=2)
    mean, deviation = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (MEAN, DEVIATION))
    with torch.no_grad():
        expected = extract((images - mean) / deviation)
        found = network.load(layers, SPEC)(images)
    for name in layers:
        channels, rows = network.layers()[name], network.map_side(name, side)
        assert found[name].shape == (2, channels, rows, rows)
        maps = as_maps(expected[name], channels, rows)
        torch.testing.assert_close(found[name], maps, rtol=0, atol=1e-5 * float(maps.abs().max()), msg=name)


@pytest.mark.long
@pytest.mark.parametrize("model", ["vit_b_32", "regnet_y_400mf"])
def test_bits_depend_neither_on_threads_nor_on_neighbours(model: str) -> None:
    network = TorchvisionModel(model=model)
    layers = tuple(network.layer_aliases().get(name, name) for name in PARTS[model])
    images, found, before = draw_images(count=5), [], torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(measure(network, layers, images))
    finally:
        torch.set_num_threads(before)
    for rows in ([2, 1], [0, 1, 2]):
        part = measure(network, layers, images[rows])
        assert all(torch.equal(found[0][key][rows], part[key]) for key in part)
    for other in found[1:]:
        assert all(torch.equal(found[0][key], other[key]) for key in other)


@pytest.mark.long
def test_a_transformer_sees_pictures_of_any_size_and_shape() -> None:
    network = TorchvisionModel(model="vit_b_32")
    layer = "encoder.layers.encoder_layer_0.add_1"
    assert network.smallest_side(layer) == 32
    assert network.load((layer,), SPEC)(draw_images(70, 130))[layer].shape == (2, 768, 2, 4)


def test_depths_are_the_ends_of_stages() -> None:
    network = TorchvisionModel(model="resnet18")
    assert network.depths()["layer2.0.conv1"] == ("relu", "layer1.1.relu_1", "layer2.0.conv1")


@pytest.mark.long
def test_all_kinds_of_models_have_layers() -> None:
    """One of each size is enough: the larger ones differ in numbers only."""
    kinds: dict[str, str] = {}
    for model in list_models():
        kinds.setdefault(model.rstrip("0123456789").partition("_")[0], model)
    assert len(kinds) > 12
    for model in kinds.values():
        network = TorchvisionModel(model=model)
        stages = list(network.depths().values())[-1]
        assert len(stages) > 2, model
        side = max(network.smallest_side(name) for name in stages)
        assert all(network.map_side(name, side) >= 1 for name in stages), model
