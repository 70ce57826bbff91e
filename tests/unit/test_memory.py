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

from stimgen.synthesis.methods import Batch, Item, ObjectiveMethod
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
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {"scales": 1, "evaluations": 2}})
    source = np.random.default_rng(0).random((128, 128, channels), dtype=np.float32)
    batch = Batch([Item(source, 1 - source, "source", ("source", 1))] * 2, slots=2, shrink=True)
    method.load(CPU)
    with Tensors() as tensors:
        deque(method.run(batch, CPU), maxlen=0)
    assert 2 * method.memory(128, 128, channels) / GAPS == pytest.approx(tensors.peak, rel=0.25)
