"""The embedded default: its layers are those of its two parts, bit by bit."""

from __future__ import annotations

import pytest
import torch

from stimgen.networks import DeviceSpec
from stimgen.networks.embedded import Embedded
from stimgen.networks.rectified_wavelets import RectifiedWavelets
from stimgen.networks.vgg19 import Vgg19
from stimgen.synthesis.term import Term

CPU = DeviceSpec(torch.device("cpu"))
RANDOM = ("relu1_1", "relu1_2", "pool1")
SCALES = ("scale1", "scale2", "scale3", "scale4")


def images() -> torch.Tensor:
    return torch.rand(2, 3, 40, 36, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "layers",
    [(*RANDOM, *SCALES), RANDOM, SCALES, ("relu1_1",), ("scale2",), ("pool1", "scale3")],
    ids=" ".join,
)
def test_layers_are_those_of_the_parts_on_their_own(layers: tuple[str, ...], dtype: torch.dtype) -> None:
    place = DeviceSpec(CPU.device, dtype)
    found = Embedded().load(layers, place)(images())
    assert tuple(found) == layers
    for part in (Vgg19(weights="random"), RectifiedWavelets()):
        own = tuple(name for name in layers if name in part.layers())
        if own:
            for name, maps in part.load(own, place)(images()).items():
                assert maps.dtype == dtype
                assert torch.equal(found[name], maps)


def test_the_seed_is_that_of_the_random_part_and_scales_that_of_the_wavelets() -> None:
    network = Embedded(seed=5, scales=2)
    assert list(network.layers()) == [*RANDOM, "scale1", "scale2"]
    found = network.load(RANDOM, CPU)(images())
    expected = Vgg19(weights={"seed": 5}).load(RANDOM, CPU)(images())
    assert all(torch.equal(found[name], expected[name]) for name in RANDOM)
    assert not torch.equal(found["relu1_1"], Embedded().load(RANDOM, CPU)(images())["relu1_1"])


def test_the_recipe_is_that_of_both_parts() -> None:
    parts = [Vgg19(weights={"seed": 5}).recipe(), RectifiedWavelets(scales=3).recipe()]
    assert Embedded(seed=5, scales=3).recipe() == {"name": "embedded", "parts": parts}


def test_the_hash_is_that_of_the_weights_in_use() -> None:
    layers = (("relu1_1",), ("relu1_2",), ("scale1",), ("relu1_1", "scale1"))
    hashes = [Embedded().load(names, CPU).weights_sha256 for names in layers]
    assert len(set(hashes)) == 4
    assert Embedded(seed=1).load(("relu1_1",), CPU).weights_sha256 not in hashes
    assert Embedded(seed=1).load(("scale1",), CPU).weights_sha256 == hashes[2]


def test_a_depth_is_the_random_layers_and_all_finer_scales() -> None:
    term = Term(depth="scale3")
    assert term.network == Embedded()
    assert list(term.layer_weights) == [*RANDOM, "scale1", "scale2", "scale3"]
    # Three layers of 64 maps, and of 51, 99 and 147.
    assert term.count_parameters(128, 128) == 3 * 2080 + 1326 + 4950 + 10878


def test_it_says_that_nobody_looked_at_it() -> None:
    validation = Embedded().validation()
    assert not validation.validated
    assert "not validated with human observers" in validation.note
