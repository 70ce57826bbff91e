"""VGG-19 against torchvision's own forward pass, and the weights' golden hashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from scipy.fft import dctn

from stimgen.networks import DeviceSpec
from stimgen.networks.normalisation import DEVIATION, MEAN
from stimgen.networks.vgg19 import Vgg19
from stimgen.networks.weights import imagenet
from stimgen.networks.weights.random import generate_filters
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.reading.random_numbers import normal

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """A whole torchvision VGG-19, convolutional part, with reproducible small random weights."""
    with torch.device("meta"):
        features = torchvision.models.vgg19().features
    generator = torch.Generator().manual_seed(3)
    state = {
        key: torch.randn(tensor.shape, generator=generator) * 0.05
        for key, tensor in features.state_dict().items()
    }
    features.load_state_dict(state, assign=True)
    features.requires_grad_(False)
    return features, {f"features.{key}": tensor for key, tensor in state.items()}


@pytest.fixture(scope="module")
def weights_file(weights: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "own.safetensors"
    save_file(weights[1], file)
    return file


def own(file: Path, **changes: str) -> Vgg19:
    return Vgg19(weights={"name": "file", "file": str(file), "sha256": sha256_file(file)}, **changes)


def images(side: int = 40, channels: int = 3) -> torch.Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(5))


def torchvision_layers(features: torch.nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run torchvision's modules one by one and name them by what they are."""
    x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)
    found, block, number = {}, 1, 0
    for module in features:
        if isinstance(module, torch.nn.Conv2d):
            number += 1
            x = module(x)
            found[f"conv{block}_{number}"] = x
        elif isinstance(module, torch.nn.ReLU):
            x = torch.relu(x)
            found[f"relu{block}_{number}"] = x
        else:
            x = module(x)
            found[f"pool{block}"] = x
            block, number = block + 1, 0
    return found


def test_every_layer_is_torchvisions(weights: tuple, weights_file: Path) -> None:
    network = own(weights_file, pooling="maximum")
    expected = torchvision_layers(weights[0], images())
    assert list(expected) == list(network.layers())
    found = network.load(tuple(expected), DeviceSpec(CPU))(images())
    for name, maps in expected.items():
        assert found[name].shape[1] == network.layers()[name]
        # Another memory layout sums in another order.
        scale = maps.abs().max()
        torch.testing.assert_close(found[name] / scale, maps / scale, rtol=0, atol=1e-5, msg=name)


def test_average_pooling_halves_by_means(weights_file: Path) -> None:
    found = own(weights_file).load(("relu1_2", "pool1"), DeviceSpec(CPU))(images())
    torch.testing.assert_close(found["pool1"], torch.nn.functional.avg_pool2d(found["relu1_2"], 2))


def test_asking_for_a_convolution_does_not_change_what_follows(weights_file: Path) -> None:
    network = own(weights_file)
    alone = network.load(("pool2",), DeviceSpec(CPU))(images())["pool2"]
    together = network.load(("conv1_1", "conv2_2", "pool2"), DeviceSpec(CPU))(images())
    assert torch.equal(alone, together["pool2"])
    assert together["conv1_1"].min() < 0


def test_gradients_reach_the_image_and_not_the_weights(weights_file: Path) -> None:
    extractor = own(weights_file).load(("conv1_1", "relu1_1", "pool2"), DeviceSpec(CPU))
    image = images().requires_grad_(True)
    sum(maps.square().mean() for maps in extractor(image).values()).backward()
    assert image.grad is not None
    assert image.grad.abs().min() >= 0
    assert image.grad.abs().max() > 0


def test_a_grey_image_is_seen_by_all_three_inputs(weights_file: Path) -> None:
    extractor = own(weights_file).load(("pool1",), DeviceSpec(CPU))
    grey = images(channels=1)
    torch.testing.assert_close(extractor(grey)["pool1"], extractor(grey.repeat(1, 3, 1, 1))["pool1"])


def test_circular_padding_commutes_with_shifts(weights_file: Path) -> None:
    extractor = own(weights_file, padding="circular").load(("pool1",), DeviceSpec(CPU))
    shifted = extractor(images().roll((4, -6), dims=(2, 3)))["pool1"]
    torch.testing.assert_close(shifted, extractor(images())["pool1"].roll((2, -3), dims=(2, 3)))


@pytest.mark.parametrize("padding", ["zeros", "circular", "none"])
def test_map_sides_and_smallest_sizes_are_true(weights_file: Path, padding: str) -> None:
    network = own(weights_file, padding=padding)
    layers = ("relu1_1", "pool1", "conv2_2", "pool2")
    for name, maps in network.load(layers, DeviceSpec(CPU))(images(29)).items():
        assert maps.shape[2:] == (network.map_side(name, 29),) * 2
    smallest = network.smallest_side("pool2", 2)
    assert network.load(("pool2",), DeviceSpec(CPU))(images(smallest))["pool2"].shape[2] == 2
    assert network.map_side("pool2", smallest - 1) == 1


@pytest.mark.parametrize(
    ("layer", "size", "stride"),
    [("conv1_1", 3, 1), ("pool1", 6, 2), ("pool2", 16, 4), ("pool3", 52, 8), ("pool4", 124, 16)],
)
def test_receptive_fields_are_those_worked_out_by_hand(layer: str, size: int, stride: int) -> None:
    """Two 3x3 convolutions see 5 pixels; pooling makes that 6, two pixels apart; and so on."""
    padded, valid = (Vgg19(padding=padding).receptive_field(layer) for padding in ("zeros", "none"))
    assert (padded.size, padded.stride, padded.first) == (size, stride, (stride - 1) / 2)
    # Without padding the first position sees the first pixels.
    assert (valid.size, valid.stride, valid.first) == (size, stride, (size - 1) / 2)


def test_random_weights_are_the_same_bits_everywhere() -> None:
    """The hash was computed once, with numpy 2.4; more threads or another LAPACK must not change it."""
    extractor = Vgg19().load(("pool2",), DeviceSpec(CPU))
    assert extractor.weights_sha256 == GOLDEN_POOL2
    assert Vgg19(weights={"seed": 1}).load(("pool2",), DeviceSpec(CPU)).weights_sha256 != GOLDEN_POOL2


GOLDEN_POOL2 = "4313d20ae13b8bf9c8307565fdb70f99a1fc2a7778ecaaa2aadb51737eec6d77"


def test_random_filters_are_orthogonal() -> None:
    matrix = generate_filters((32, 16, 3, 3), "test").reshape(32, -1).astype(np.float64)
    # Filters have norm sqrt(2), up to the rounding to 2^-12.
    np.testing.assert_allclose(matrix @ matrix.T, 2.0 * np.eye(32), atol=5e-3)
    assert np.array_equal(matrix * 4096, np.round(matrix * 4096))


def test_the_first_layers_filters_are_orthogonal_up_to_the_gain_of_every_pattern() -> None:
    """In luminance, blue-yellow and red-green, and scipy's cosines, the filters' covariance is diagonal."""
    coefficients = dctn(generate_filters((64, 3, 3, 3), "test").astype(np.float64), axes=(2, 3), norm="ortho")
    opponents = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
    found = np.einsum("kc,ncuv->nkuv", opponents, coefficients).reshape(64, 27)
    frequency = np.sqrt(0.1 + np.hypot(*np.meshgrid(range(3), range(3))))
    gains = np.stack([frequency, 2 * frequency, 2 * frequency]).ravel()
    np.testing.assert_allclose(found.T @ found, np.diag(2 * gains**2 / np.mean(gains**2)), atol=5e-3)


def test_random_filters_do_not_depend_on_the_linear_algebra_library() -> None:
    """PyTorch brings another LAPACK than numpy; rounding must hide the difference."""
    shape, key = (128, 64, 3, 3), ("test", 1)
    q, r = torch.linalg.qr(torch.from_numpy(normal(128 * 576, *key).reshape(576, 128)))
    expected = (q * torch.where(r.diagonal() < 0, -1.0, 1.0)).T.reshape(shape) * 2**0.5
    assert np.array_equal(generate_filters(shape, *key), np.round(expected.numpy() * 4096) / 4096)


def test_a_deeper_cut_keeps_the_shallow_weights() -> None:
    shallow = Vgg19().load(("pool1",), DeviceSpec(CPU))(images())["pool1"]
    deep = Vgg19().load(("pool1", "pool2"), DeviceSpec(CPU))(images())["pool1"]
    assert torch.equal(shallow, deep)


class TestImagenet:
    """The published file is 575 MB and not here: a file of other numbers in the cache stands for it."""

    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def put(self, state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
        file = imagenet.find_cache_path("vgg19")
        file.parent.mkdir(parents=True)
        torch.save(state, file)
        monkeypatch.setitem(imagenet.PINNED, "vgg19", sha256_file(file))

    def test_loads_the_cached_file(self, weights: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put(weights[1], monkeypatch)
        extractor = Vgg19(weights="imagenet", pooling="maximum").load(("pool1",), DeviceSpec(CPU))
        expected = torchvision_layers(weights[0], images())["pool1"]
        torch.testing.assert_close(extractor(images())["pool1"], expected, rtol=1e-4, atol=1e-6)
        assert extractor.weights_sha256 == imagenet.PINNED["vgg19"]

    def test_refuses_a_file_with_another_hash(self, weights: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put(weights[1], monkeypatch)
        with imagenet.find_cache_path("vgg19").open("ab") as stream:
            stream.write(b"x")
        with pytest.raises(StimgenError, match="SHA-256"):
            Vgg19(weights="imagenet").load(("pool1",), DeviceSpec(CPU))

    def test_offline_says_what_to_fetch_and_where_to_put_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def offline(*_: object, **__: object) -> None:
            raise OSError("Name or service not known")

        monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
        with pytest.raises(StimgenError) as caught:
            Vgg19(weights="imagenet").load(("pool1",), DeviceSpec(CPU))
        message = str(caught.value)
        for part in ("https://", "vgg19-dcbb9e9d.pth", imagenet.PINNED["vgg19"], "weights: random"):
            assert part in message

    def test_the_pinned_hash_begins_with_the_publishers_digits(self) -> None:
        name = imagenet.find_cache_path("vgg19").name
        assert name == f"vgg19-{imagenet.PINNED['vgg19'][:8]}.pth"


def test_the_wrong_networks_weights_are_refused(shared: Path) -> None:
    with pytest.raises(StimgenError, match="not those of vgg19"):
        own(shared / "weights" / "squeezenet1_0-imagenet.safetensors").load(("pool1",), DeviceSpec(CPU))


def test_wrong_shapes_are_refused(weights: tuple, tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    save_file({**weights[1], "features.0.weight": torch.zeros(64, 1, 3, 3)}, file)
    with pytest.raises(StimgenError, match=r"features\.0\.weight.*shape"):
        own(file).load(("pool1",), DeviceSpec(CPU))


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "own.pth"
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self) -> tuple:
            return (Path.touch, (touched,))

    torch.save({"features.0.weight": Evil()}, file)
    with pytest.raises(StimgenError, match="cannot be read"):
        own(file).load(("pool1",), DeviceSpec(CPU))
    assert not touched.exists()
