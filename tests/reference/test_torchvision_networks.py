"""AlexNet, SqueezeNet, ResNet-50 and the VGG networks against torchvision's own modules and forward pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from stimgen.networks import NETWORKS, DeviceSpec
from stimgen.networks.convolutions import replace_convolutions
from stimgen.networks.normalisation import DEVIATION, MEAN
from stimgen.networks.resnet50 import Resnet50
from stimgen.networks.squeezenet1_0 import Squeezenet10
from stimgen.networks.torchvision_network import TorchvisionNetwork
from stimgen.networks.weights import imagenet
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file

CPU = torch.device("cpu")
NAMES = [name for name, cls in NETWORKS.members.items() if issubclass(cls, TorchvisionNetwork)]
# The deepest layer of each that is compared in numbers; deeper ones repeat it with more maps.
DEEPEST = {
    "alexnet": "pool5",
    "squeezenet1_0": "fire9",
    "squeezenet1_1": "fire9",
    "resnet50": "layer2_1",
    "vgg11": "relu3_2",
    "vgg13": "conv3_1",
    "vgg16": "conv3_1",
    "vgg19": "conv3_1",
}


def torchvisions(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        return getattr(torchvision.models, name)().eval()


def random_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return weights in the model's layout; batch normalisations that do something."""
    generator = torch.Generator().manual_seed(3)

    def drawn(key: str, tensor: torch.Tensor) -> torch.Tensor:
        values = torch.randn(tensor.shape, generator=generator)
        if key.endswith("num_batches_tracked"):
            return torch.tensor(1)
        if tensor.ndim == 1:
            return 1.0 + 0.2 * values.abs() if key.endswith(("weight", "var")) else 0.1 * values
        return values * (2 / tensor[0].numel()) ** 0.5

    return {key: drawn(key, tensor) for key, tensor in model.state_dict().items()}


def outputs(model: torch.nn.Module, paths: list[str], images: torch.Tensor) -> list[torch.Tensor]:
    """Return what torchvision's modules give, in a pass through the model cut after the last of them."""
    found: dict[str, torch.Tensor] = {}

    def keep(path: str):
        def hook(*arguments: torch.Tensor) -> None:
            found[path] = arguments[-1].clone()  # what follows may rectify it in place
            if path == paths[-1]:
                raise StopIteration

        return hook

    handles = [model.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    mean, deviation = (torch.tensor(n, device=images.device).view(1, 3, 1, 1) for n in (MEAN, DEVIATION))
    x = (images - mean) / deviation
    with torch.no_grad(), pytest.raises(StopIteration):
        model(x)
    for handle in handles:
        handle.remove()
    return [found[path] for path in paths]


def assert_same_maps(network: TorchvisionNetwork, state: dict, layers: list[str], side: int) -> None:
    steps = {step.name: step for step in network.steps()}
    model = torchvisions(network.name)
    model.load_state_dict(state, assign=True, strict=False)
    images = torch.rand(2, 3, side, side + 6, generator=torch.Generator().manual_seed(5))
    expected = outputs(model, [steps[layer].modules[-1] for layer in layers], images)
    found = network.load(tuple(layers), DeviceSpec(CPU))(images)
    for layer, maps in zip(layers, expected, strict=True):
        scale = maps.abs().max()
        assert scale > 0
        torch.testing.assert_close(found[layer] / scale, maps / scale, rtol=0, atol=1e-5, msg=layer)


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_torchvisions(name: str, tmp_path: Path) -> None:
    network = NETWORKS.members[name]()
    names = list(network.layers())
    layers = names[: names.index(DEEPEST[name]) + 1]
    paths = tuple(f"{path}." for step in network.steps_up_to(layers) for path in step.modules)
    model = torchvisions(name)
    state = {k: v for k, v in random_state(_cut(model, paths)).items() if k.startswith(paths)}
    file = tmp_path / "own.safetensors"
    save_file(state, file)
    own = {"name": "file", "file": str(file), "sha256": sha256_file(file)}
    assert_same_maps(network.replace(weights=own, pooling="maximum"), state, layers, side=75)


def _cut(model: torch.nn.Module, paths: tuple[str, ...]) -> torch.nn.Module:
    """Return the model without the parts that no path leads into."""
    for name, part in list(model.named_children()):
        if not any(path.startswith(f"{name}.") for path in paths):
            setattr(model, name, torch.nn.Identity())
        elif f"{name}." not in paths:
            inner = tuple(path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}."))
            setattr(model, name, _cut(part, inner))
    return model


@pytest.mark.parametrize("name", NAMES)
def test_steps_are_torchvisions_to_the_end(name: str) -> None:
    """Also of the layers that are not compared in numbers: every module is there, in order, with its maps."""
    network, model = NETWORKS.members[name](), torchvisions(name)
    paths = [path for step in network.steps() for path in step.modules]
    if name == "resnet50":
        whole = ["conv1", "bn1", "relu", "maxpool"]
        whole += [f"layer{n}.{i}" for n in range(1, 5) for i in range(len(getattr(model, f"layer{n}")))]
    else:
        whole = [f"features.{i}" for i in range(len(model.features))]
    assert paths == whole
    images = torch.empty(2, 3, 135, 150, device="meta")
    for step, maps in zip(
        network.steps(), outputs(model, [s.modules[-1] for s in network.steps()], images), strict=True
    ):
        sides = network.map_side(step.name, 135), network.map_side(step.name, 150)
        assert maps.shape == (2, step.channels, *sides), step.name


def test_trained_squeezenet_gives_torchvisions_maps(shared: Path) -> None:
    file = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    weights = {"name": "file", "file": str(file), "sha256": sha256_file(file)}
    network = Squeezenet10(weights=weights, pooling="maximum")
    assert network.load(("pool1",), DeviceSpec(CPU)).weights_sha256 == sha256_file(file)
    assert_same_maps(network, load_file(file), list(network.layers()), side=90)


@pytest.mark.parametrize("name", ["squeezenet1_0", "alexnet", "resnet50"])
@pytest.mark.parametrize("side", range(34, 45))
def test_average_pooling_has_as_many_positions_and_preserves_constants(name: str, side: int) -> None:
    """Where a window stands over the border, what lies beyond does not count."""
    network = NETWORKS.members[name]()
    pool = next(step for step in network.steps() if step.name == "pool1")
    module = network.load(("pool1",), DeviceSpec(CPU))._modules[2][0]
    assert isinstance(module, torch.nn.AvgPool2d)
    found = module(torch.ones(1, 1, side, side))
    torch.testing.assert_close(found, torch.ones(1, 1, pool.output_side(side), pool.output_side(side)))


def test_random_batch_normalisations_change_nothing() -> None:
    """Of a network that is not trained: mean 0, variance 1, up to the constant that is added to it."""
    found = Resnet50().load(("conv1", "relu1"), DeviceSpec(CPU))(torch.rand(2, 3, 20, 20))
    torch.testing.assert_close(found["relu1"], found["conv1"].relu(), rtol=1e-5, atol=0)


def test_deep_layers_do_not_depend_on_threads() -> None:
    """Sums over a thousand maps, which libraries split among threads."""
    extract, found = Resnet50().load(("layer3_1",), DeviceSpec(CPU)), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(1), requires_grad=True)
            (maps,) = extract(images).values()
            (gradient,) = torch.autograd.grad(maps.square().sum(), images)
            found.append((maps.detach(), gradient))
    finally:
        torch.set_num_threads(before)
    for maps, gradient in found[1:]:
        assert torch.equal(maps, found[0][0])
        assert torch.equal(gradient, found[0][1])


@pytest.mark.parametrize(
    ("maps", "kernel", "stride", "padding"),
    [((5, 7), 1, 1, 0), ((600, 3), 1, 1, 0), ((3, 600), 1, 2, 0)]
    + [((3, 4), kernel, stride, kernel // 2) for kernel in (2, 3, 7, 11) for stride in (2, 3, 4)]
    + [((3, 4), kernel, 2, 0) for kernel in (3, 7)],
)
def test_what_stands_for_a_convolution_is_one(
    maps: tuple[int, int], kernel: int, stride: int, padding: int
) -> None:
    convolution = torch.nn.Conv2d(*maps, kernel, stride, padding).double().requires_grad_(False)
    replaced = replace_convolutions(convolution)
    assert replaced is not convolution
    for height, width in ((11, 12), (13, 14), (15, 20)):
        images = torch.rand(2, maps[0], height, width, dtype=torch.float64, requires_grad=True)
        expected, found = convolution(images), replaced(images)
        torch.testing.assert_close(found, expected)
        weights = torch.rand_like(expected)
        gradients = [torch.autograd.grad((weights * out).sum(), images)[0] for out in (expected, found)]
        torch.testing.assert_close(*gradients)


def test_published_weights_without_a_whole_hash_are_told_by_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    file = imagenet.find_cache_path("vgg11")
    file.parent.mkdir()
    torch.save({"features.0.weight": torch.ones(64, 3, 3, 3), "features.0.bias": torch.ones(64)}, file)
    network = NETWORKS.members["vgg11"](weights="imagenet")
    with pytest.raises(StimgenError, match="SHA-256"):
        network.load(("conv1_1",), DeviceSpec(CPU))
    whole = sha256_file(file)
    monkeypatch.setitem(imagenet.PINNED, "vgg11", whole[:8])
    assert network.load(("conv1_1",), DeviceSpec(CPU)).weights_sha256 == whole
    assert network.recipe()["weights"]["sha256"] == whole[:8]


@pytest.mark.parametrize("name", NAMES)
def test_pinned_hashes_begin_with_the_publishers_digits(name: str) -> None:
    digits = imagenet.PINNED[name]
    assert len(digits) in (8, 64)
    assert imagenet.find_cache_path(name).name.endswith(f"-{digits[:8]}.pth")
