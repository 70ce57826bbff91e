"""Predicts the memory of an objective, by evaluating it on torch's device ``meta``, which has no numbers.

There operations make tensors of the right sizes without memory. So the most bytes that there are at once are
those of a real evaluation, for any network, statistic and regions, without a formula for any of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from typing_extensions import override

from stimgen.networks import DeviceSpec
from stimgen.synthesis.objective import BatchSources, Objective, load_networks
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.source_blend import find_source_blend
from stimgen.synthesis.term import Term

META = torch.device("meta")
# Images of an evaluation; what they share, such as the weights of regions, is little.
IMAGES = 2
BYTES_PER_NUMBER = 4
# Tensors as large as all requested maps, where these are all that is known of a network.
ROUGHLY = 8

_known: dict[tuple[str, tuple[int, int, int]], int] = {}


class TensorWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
    """Counts the bytes of all tensors that operations make; `peak` is the most that there were at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch does not annotate it
        self.peak: int = 0
        self._now: int = 0
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
            self._now += self._there[key]
            self.peak = max(self.peak, self._now)
            weakref.finalize(storage, self._forget, key).atexit = False

    def _forget(self, key: int) -> None:
        self._now -= self._there.pop(key)


def predict_tensor_bytes(
    terms: Sequence[Term], settings: SynthesisSettings, shape: tuple[int, int, int]
) -> int:
    """Return the most bytes of tensors that one image of this shape needs at once.

    `shape` is height, width and channels.
    """
    key = repr([[term.model_dump_json() for term in terms], settings.range.to_dict(), settings.unmatched])
    if (key, shape) not in _known:
        _known[key, shape] = _measure_evaluation(terms, settings, shape)
    height, width, channels = shape
    return _known[key, shape] + BYTES_PER_NUMBER * settings.optimiser.vectors * height * width * channels


def _measure_evaluation(
    terms: Sequence[Term], settings: SynthesisSettings, shape: tuple[int, int, int]
) -> int:
    try:
        return _evaluate_without_numbers(terms, settings, shape)
    except Exception:  # whatever a user's function raises for such tensors, or a package that is not there
        return _estimate_roughly(terms, shape)


def _evaluate_without_numbers(
    terms: Sequence[Term], settings: SynthesisSettings, shape: tuple[int, int, int]
) -> int:
    height, width, channels = shape
    # In float32: with mixed precision, too, the last evaluations are. What networks keep for all images, at
    # their first call, does not count.
    for extract in load_networks(terms, DeviceSpec(META)).values():
        extract(torch.empty(IMAGES, channels, height, width, device=META))
    watch = TensorWatch()
    with watch:
        images = torch.empty(IMAGES, channels, height, width, device=META)
        rows = torch.arange(IMAGES, device=META)
        names = {term.target.picture for term in terms if term.target is not None}
        sources = BatchSources(
            images, rows, (("", 1), ("", 2)), {name: torch.empty_like(images) for name in names}
        )
        blend = find_source_blend(terms, images, settings.unmatched)
        objective = Objective(terms, settings.range, sources, blend=blend)
        objective(settings.range.to_variables(images), rows)
    return watch.peak // IMAGES


def _estimate_roughly(terms: Sequence[Term], shape: tuple[int, int, int]) -> int:
    numbers = sum(size.numbers for term in terms for size in term.layer_sizes(shape[1], shape[0]).values())
    return BYTES_PER_NUMBER * ROUGHLY * numbers
