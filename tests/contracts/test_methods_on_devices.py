"""Starts and controls never touch a tensor, and a whole synthesis stays on its device: proved without a GPU.

Steps before and after synthesis cannot: `images` imports no torch, as a contract of imports says.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from device_watch import META, DeviceWatch

from stimgen.computation import precision, transfer
from stimgen.networks import NETWORKS
from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import METHODS, ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.starts import STARTS
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

SHAPE = (32, 32, 3)
NEEDED = {"image": {"file": "a.png"}}
# Methods that are not controls, and why they are not run on `meta`.
NO_META = {"portilla_simoncelli": "plenoptic's model is in float64; it is refused where that is missing"}
# What may take a number of the processor: copies, views, and numbers that this test makes up.
COPIES = re.compile(
    r"aten\.(_to_copy|lift_fresh|detach|clone|_local_scalar_dense|rand\w*|alias|permute|unbind)\."
)


def item(seed: int = 1) -> SynthesisItem:
    source = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    key = ("source", seed)
    return SynthesisItem(source, NormalNoise().pixels(SHAPE, key, None), "source", key)


@pytest.mark.parametrize("name", STARTS.members)
def test_starts_touch_no_tensor(name: str) -> None:
    with DeviceWatch() as watch:
        STARTS.members[name](**NEEDED.get(name, {})).pixels(SHAPE, ("source", 1), item().source)
    assert watch.count == 0


@pytest.mark.parametrize("name", [name for name in METHODS.members if name not in NO_META])
def test_controls_touch_no_tensor(name: str) -> None:
    method = METHODS.members[name]()
    assert isinstance(method, DirectMethod)
    with DeviceWatch() as watch:
        run_generator(method.run(SynthesisBatch([item()], 2), META))
    assert watch.count == 0


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
@pytest.mark.parametrize("precision_name", ["float32", "mixed"])
def test_a_whole_synthesis_stays_on_its_device(
    monkeypatch: pytest.MonkeyPatch, optimiser: str, precision_name: str
) -> None:
    read, chance = torch.Tensor.cpu, torch.Generator().manual_seed(1)

    def read_anything(tensor: torch.Tensor) -> torch.Tensor:
        return torch.rand(tensor.shape, generator=chance) if tensor.device == META else read(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", read_anything)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(transfer, "PINNED", frozenset({"meta"}))
    monkeypatch.setattr(precision, "WITHOUT_FLOAT64", frozenset({"meta"}))
    network = NETWORKS.members["rectified_wavelets"]()
    settings = SynthesisSettings(
        scales=2, evaluations=6, precision=precision_name, optimiser={"name": optimiser}
    )
    term = Term(network=network, layers=tuple(list(network.layers())[:2]))
    method = ObjectiveMethod(terms=(term,), synthesis=settings)
    method.load(META)
    with DeviceWatch() as watch:
        result = run_generator(method.run(SynthesisBatch([item(1), item(2)], 4, snapshots=2), META))
    assert [image.shape for image in result.images] == [SHAPE] * 2
    assert [len(trace) for trace in result.traces] == [12, 12]
    assert {name for name in watch.elsewhere if not COPIES.match(name)} == set()
    assert (watch.waiting, watch.too_precise, watch.without_fixed_bits) == (set(), set(), set())
    bfloat16 = torch.bfloat16 in watch.kinds
    assert bfloat16 == (precision_name == "mixed")
