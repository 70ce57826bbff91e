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

from stimgen.statistics.regions.polar import Polar
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.methods.objective import GAPS

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
    """Return the bytes of two images: as estimated, without gaps, and as there were."""
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {"scales": 1, "evaluations": 2}})
    source = np.random.default_rng(0).random((side, side, channels), dtype=np.float32)
    batch = SynthesisBatch([SynthesisItem(source, 1 - source, "source", ("source", 1))] * 2, slots=2)
    method.load(CPU)
    with Tensors() as tensors:
        deque(method.run(batch, CPU), maxlen=0)
    return 2 * method.estimate_memory(side, side, channels) / GAPS, tensors.peak


@pytest.mark.long
@pytest.mark.parametrize(
    ("network", "depth", "regions", "channels"),
    [
        ("embedded", "scale4", "1x1", 3),
        ("embedded", "scale4", "1x1", 1),
        ("embedded", "scale4", "4x4", 3),
        ("rectified_wavelets", "scale4", "1x1", 3),
        ("vgg19", "pool2", "1x1", 3),
        ("vgg19", "pool4", "1x1", 3),
        ("vgg19", "pool4", "4x4", 3),
        ("alexnet", "pool5", "1x1", 3),
        ("squeezenet1_0", "fire5", "1x1", 3),
        ("resnet50", "layer2_4", "1x1", 3),
        ("random_filters", "size37", "1x1", 3),
    ],
)
def test_is_predicted_within_a_quarter(network: str, depth: str, regions: str, channels: int) -> None:
    term = {"network": network, "depth": depth, "regions": regions}
    predicted, found = predicted_and_found(term, channels)
    assert predicted == pytest.approx(found, rel=0.25)


@pytest.mark.parametrize(
    ("statistic", "regions"),
    [
        ("content", "1x1"),
        ("histogram", "1x1"),
        ("histogram", "2x2"),
        ("sliced_wasserstein", "1x1"),
        ("sliced_wasserstein", "2x2"),
        ("autocorrelation", "1x1"),
        ("moments", "1x1"),
        ("pca_gram", "1x1"),
        ("cross_gram", "1x1"),
    ],
)
def test_statistics_are_predicted_roughly(statistic: str, regions: str) -> None:
    term = {"network": "vgg19", "depth": "pool2", "statistic": statistic, "regions": regions}
    predicted, found = predicted_and_found(term, 3, side=64)
    assert 0.75 < predicted / found < 1.5


@pytest.mark.long
@pytest.mark.parametrize(
    "statistic",
    [
        "gram",
        {"normalisation": "gatys2016"},
        "covariance",
        "cross_gram",
        {"name": "pca_gram", "components": 32},
    ],
    ids=str,
)
def test_products_in_many_regions_are_predicted_roughly(statistic: Any) -> None:
    regions = {"name": "polar", "scaling": 0.3, "fovea": 0.05}
    term = {"network": "vgg19", "depth": "pool2", "statistic": statistic, "regions": regions}
    assert Polar(scaling=0.3, fovea=0.05).count_regions(64, 64) > 300
    predicted, found = predicted_and_found(term, 3, side=64)
    assert 0.75 < predicted / found < 1.5
