"""The trained VGG-16 of Simonyan & Zisserman, rescaled as Gatys et al. (2015) did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.images.read import find_skimage_file
from stimgen.networks import DeviceSpec
from stimgen.networks.vgg16 import Vgg16
from stimgen.protocol.load import INHERITED_KEYS, load_protocol
from stimgen.protocol.quick import make_quick_protocol
from stimgen.protocol.schema import Protocol
from stimgen.protocol.substitution import NetworkChoice, substitute_network
from stimgen.reading.identity import sha256_file
from stimgen.stimulus_set.store import Store
from stimgen.workflow.generate import GenerateOptions, generate_set
from stimgen.workflow.weights import NormalizationSettings, normalize_weights

CPU = DeviceSpec(torch.device("cpu"))
FILE = (
    Path(__file__).resolve().parents[3] / "shared" / "weights" / "vgg16-oxford-imagenet-features.safetensors"
)
PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "rocket")
# One for each kind of term and optimiser; the unit tests plan all of them.
PROTOCOLS = (
    "gatys2015_pca",
    "gatys2016_style_transfer",
    "heitz2021",
    "jagadeesh2022",
    "vacher2020_interpolation",
)
LAYERS = ("relu1_1", "pool1", "relu2_2", "relu3_3", "pool3", "relu4_3", "pool4")

pytestmark = [
    pytest.mark.skipif(
        not FILE.exists(), reason="no shared: the trained weights are not beside the checkout"
    ),
    pytest.mark.long,
]


def read_photographs(folder: Path) -> list[str]:
    """Crop the centres of scikit-image's photographs and return their files."""
    for name in PHOTOGRAPHS:
        picture = Image.open(find_skimage_file(name)).convert("RGB")
        left, top = (picture.width - 128) // 2, (picture.height - 128) // 2
        pixels = np.asarray(picture.crop((left, top, left + 128, top + 128)))
        Image.fromarray(pixels).save(folder / f"{name}.png")  # without the file's gamma or profile
    return [str(folder / f"{name}.png") for name in PHOTOGRAPHS]


@pytest.mark.parametrize("pooling", ["average", "maximum"])
def test_rescaled_filters_have_a_mean_of_one_and_see_the_same(tmp_path: Path, pooling: str) -> None:
    files, output = read_photographs(tmp_path), tmp_path / "means.json"
    sha256 = normalize_weights(NormalizationSettings("vgg16", str(FILE), pooling, "pool4"), files, output)
    base = {"name": "file", "file": str(FILE), "sha256": sha256_file(FILE)}
    rescaled = {"name": "normalised", "base": base, "file": str(output), "sha256": sha256}
    pictures = np.stack([np.asarray(Image.open(file), dtype=np.float32) for file in files])
    images = torch.from_numpy(pictures.transpose(0, 3, 1, 2) / 255)
    before, after = (
        Vgg16(pooling=pooling, weights=weights).load(LAYERS, CPU)(images) for weights in (base, rescaled)
    )
    means = {key: torch.tensor(values) for key, values in json.loads(output.read_text())["means"].items()}
    for layer in LAYERS:
        if layer.startswith("relu"):
            torch.testing.assert_close(
                after[layer].mean((0, 2, 3)), torch.ones(1).expand(after[layer].shape[1]), rtol=0, atol=1e-3
            )
        last = {"pool1": "conv1_2", "pool3": "conv3_3", "pool4": "conv4_3"}.get(
            layer, layer.replace("relu", "conv")
        )
        again = after[layer] * means[last].view(1, -1, 1, 1)
        assert (again - before[layer]).abs().max() < 1e-4 * before[layer].abs().max()


@pytest.mark.parametrize("name", PROTOCOLS)
def test_published_protocols_run_with_it(tmp_path: Path, name: str) -> None:
    """Two evaluations of the last condition: no loss is infinite or rises, and records say VGG-16."""
    loaded = make_quick_protocol(substitute_network(load_protocol(name), NetworkChoice("vgg16", str(FILE))))
    data = loaded.protocol.to_dict()
    data["conditions"] = data["conditions"][-1:]
    for condition in data["conditions"]:
        condition["synthesis"] |= {"evaluations": 2, "scales": 1}
    short = Protocol.model_validate({key: data[key] for key in data if key not in INHERITED_KEYS})
    made = generate_set(replace(loaded, protocol=short), tmp_path / "set", GenerateOptions("cpu"))
    assert made.made > 0
    assert not made.failures
    contents = [record.content for record in Store.open(tmp_path / "set").read_records()]
    fitted = [(content, content.losses) for content in contents if content.losses is not None]
    assert all(np.isfinite(losses.end.total) for _, losses in fitted)
    assert all(losses.end.total <= losses.start.total for _, losses in fitted)
    assert all("vgg16" in [network.name for network in content.network] for content, _ in fitted)
