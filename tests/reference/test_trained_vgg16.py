"""The trained VGG-16 of Simonyan & Zisserman, rescaled as Gatys et al. (2015) did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.images.read import find_skimage_file
from stimgen.networks import DeviceSpec
from stimgen.networks.vgg16 import Vgg16
from stimgen.reading.identity import sha256_file
from stimgen.workflow.weights import NormalizationSettings, normalize_weights

CPU = DeviceSpec(torch.device("cpu"))
FILE = (
    Path(__file__).resolve().parents[3] / "shared" / "weights" / "vgg16-oxford-imagenet-features.safetensors"
)
PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "rocket")
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
