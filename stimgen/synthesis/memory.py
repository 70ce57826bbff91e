"""Predicts the memory of an objective, by evaluating it on torch's device ``meta``, which has no numbers.

There operations make tensors of the right sizes without memory. So the most bytes that there are at once are
those of a real evaluation, for any network, statistic and regions, without a formula for any of them.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from typing_extensions import override

from stimgen.networks import DeviceSpec
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective, load_networks
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.source_blend import find_source_blend
from stimgen.synthesis.term import Term

META = torch.device("meta")
# Images of an evaluation; what they share, such as the weights of regions, is little.
IMAGES = 2
BYTES_PER_NUMBER = 4
# Tensors as large as all requested maps, where these are all that is known of a network.
ROUGHLY = 8


@dataclass(frozen=True)
class TensorBytes:
    """Holds the bytes of one image's tensors."""

    held: int
    """What all evaluations need: targets, and what the optimiser keeps."""
    most: int
    """The most that there are at once."""


_known: dict[tuple[str, tuple[int, int, int]], TensorBytes] = {}


class TensorWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
    """Counts the bytes of all tensors that operations make: `now`, and at their `peak`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch does not annotate it
        self.peak: int = 0
        self.now: int = 0
        self._there: dict[int, int] = {}

    @override
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in tree_iter(found):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor.untyped_storage())
        return found

    def _see(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._there:
            self._there[key] = storage.nbytes()
            self.now += self._there[key]
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, key).atexit = False

    def _forget(self, key: int) -> None:
        self.now -= self._there.pop(key)


def predict_tensor_bytes(
    terms: Sequence[Term], settings: SynthesisSettings, shape: tuple[int, int, int]
) -> TensorBytes:
    """Return the bytes of tensors that one image of a shape, height, width and channels, needs."""
    key = repr([[term.model_dump_json() for term in terms], settings.range.to_dict(), settings.unmatched])
    if (key, shape) not in _known:
        try:
            _known[key, shape] = _evaluate_without_numbers(terms, settings, shape)
        except Exception:  # whatever a user's function raises for such tensors, or a missing package
            _known[key, shape] = _estimate_roughly(terms, shape)
    found, kept = _known[key, shape], BYTES_PER_NUMBER * settings.optimiser.vectors * math.prod(shape)
    return TensorBytes(found.held + kept, found.most + kept)


def _evaluate_without_numbers(
    terms: Sequence[Term], settings: SynthesisSettings, shape: tuple[int, int, int]
) -> TensorBytes:
    height, width, channels = shape
    size = (IMAGES, channels, height, width)
    # In float32: with mixed precision, too, the last evaluations are. What networks keep for all images, at
    # their first call, does not count.
    for extract in load_networks(terms, DeviceSpec(META)).values():
        extract(torch.empty(size, device=META))
    watch = TensorWatch()
    with watch:
        images, rows = torch.empty(size, device=META), torch.arange(IMAGES, device=META)
        names = {term.target.picture for term in terms if term.target is not None}
        pictures = {name: torch.empty(size, device=META) for name in names}
        sources = BatchSources(images, rows, (("", 1), ("", 2)), pictures)
        blend = find_source_blend(terms, images, settings.unmatched)
        objective = Objective(terms, settings.range, sources, blend=blend)
        objective(settings.range.to_variables(images), rows)
    return TensorBytes(watch.now // IMAGES, watch.peak // IMAGES)


def _estimate_roughly(terms: Sequence[Term], shape: tuple[int, int, int]) -> TensorBytes:
    sizes = [size for term in terms for size in term.layer_sizes(shape[1], shape[0]).values()]
    return TensorBytes(0, BYTES_PER_NUMBER * ROUGHLY * sum(size.numbers for size in sizes))
