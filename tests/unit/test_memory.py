"""What is predicted of the memory, against the tensors that there are while a batch is made."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from stimgen.networks import register_network
from stimgen.statistics import STATISTICS
from stimgen.synthesis.memory import predict_tensor_bytes
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem

CPU = torch.device("cpu")


class Tensors(TorchDispatchMode):
    """Counts the bytes of all tensors that operations make; `peak` is the most that there were at once."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._there: dict[int, int] = {}

    def __torch_dispatch__(
        self, operation: Callable[..., Any], _: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        found = operation(*args, **(kwargs or {}))
        for tensor in tree_iter(found):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor.untyped_storage())
        return found

    def _see(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._there:
            self._there[key] = storage.nbytes()
            weakref.finalize(storage, self._there.pop, key)
            self.peak = max(self.peak, sum(self._there.values()))


def predicted_and_found(term: dict[str, Any], channels: int, side: int = 128) -> tuple[float, float]:
    """Return the bytes of two images: as predicted without numbers, and as there were."""
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {"scales": 1, "evaluations": 2}})
    source = np.random.default_rng(0).random((side, side, channels), dtype=np.float32)
    batch = SynthesisBatch([SynthesisItem(source, 1 - source, "source", ("source", 1))] * 2, slots=2)
    method.load(CPU)
    # What networks keep for all images, at their first call, does not count.
    deque(method.limit_evaluations(1).run(batch, CPU), maxlen=0)
    with Tensors() as tensors:
        deque(method.run(batch, CPU), maxlen=0)
    predicted = predict_tensor_bytes(method.terms, method.synthesis, (side, side, channels))
    return 2 * predicted.most, tensors.peak


def check(term: dict[str, Any], channels: int, side: int) -> None:
    predicted, found = predicted_and_found(term, channels, side)
    assert predicted == pytest.approx(found, rel=0.1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("network", "depth", "regions", "channels"),
    [
        ("embedded", "scale4", "1x1", 3),
        ("embedded", "scale4", "1x1", 1),
        ("embedded", "scale4", "4x4", 3),
        ("rectified_wavelets", "scale4", "1x1", 3),
        ("vgg19", "pool4", "1x1", 3),
        ("vgg19", "pool4", "4x4", 3),
        ("alexnet", "pool5", "1x1", 3),
        ("squeezenet1_0", "fire5", "1x1", 3),
        ("resnet50", "layer2_4", "1x1", 3),
        ("torchvision:convnext_tiny", "features.1", "2x2", 3),
    ],
)
def test_networks_are_predicted(network: str, depth: str, regions: str, channels: int) -> None:
    check({"network": network, "depth": depth, "regions": regions}, channels, side=128)


@pytest.mark.parametrize("regions", ["1x1", "2x3"])
@pytest.mark.parametrize(
    "statistic",
    [name for name, cls in STATISTICS.members.items() if cls.needs_network is None],
)
def test_statistics_are_predicted(statistic: str, regions: str) -> None:
    if not STATISTICS.members[statistic].pools:
        regions = "1x1"
    term = {"network": "vgg19", "depth": "pool1", "statistic": statistic, "regions": regions}
    check(term, 3, side=32)


@pytest.mark.parametrize("statistic", ["gram", "covariance", "moments", "histogram"])
def test_regions_of_many_sizes_are_predicted(statistic: str) -> None:
    regions = {"name": "polar", "scaling": 2.0}
    term = {"network": "vgg19", "depth": "pool1", "statistic": statistic, "regions": regions}
    check(term, 3, side=64)


def test_moments_in_regions_need_no_more_than_in_the_whole_image() -> None:
    found = {}
    for regions in ("1x1", "4x4", "16x16"):
        term = {"network": "vgg19", "depth": "pool1", "statistic": "moments", "regions": regions}
        method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {}})
        found[regions] = method.estimate_memory(64, 64, 3)
    assert max(found.values()) == found["1x1"]


def test_a_function_that_needs_numbers_is_predicted_from_the_sizes_of_its_layers() -> None:
    def brightness(images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"scaled": images * images.max().item()}

    register_network("brightness", brightness, layers={"scaled": 3}, map_side={"scaled": 1}, version="1")
    term = {"network": {"name": "python", "use": "brightness"}, "depth": "scaled"}
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {}})
    small, large = (method.estimate_memory(side, side, 3) for side in (32, 64))
    assert 3 * small < large < 5 * small
