"""Measures pooling regions one after the other, without keeping what each of them computed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.statistics.regions import PoolingWindow

Windows = tuple[PoolingWindow, ...]
Measure = Callable[[list[Tensor], int], Tensor]


def measure_windows(maps: Sequence[Tensor], windows: Windows, measure: Measure, dim: int = 1) -> Tensor:
    """Return what `measure` finds in every window, stacked along `dim`.

    `measure` gets the window's part of each of the `maps`, all of which have the same positions, and the
    window's number. It is called again while gradients go back, so that only the maps are kept: with plain
    autograd, every region would keep its own results, and fill a gradient as large as the maps.
    """
    if len(windows) == 1:
        return measure(cut_window(maps, windows[0]), 0).unsqueeze(dim)
    found: Tensor = _WindowMeasures.apply(windows, measure, dim, *maps)
    return found


def cut_window(maps: Sequence[Tensor], window: PoolingWindow) -> list[Tensor]:
    """Return the window's part of maps, as views."""
    return [one[:, :, window.rows, window.columns] for one in maps]


def list_windows(windows: Windows, like: Tensor) -> list[tuple[int, PoolingWindow]]:
    """Return the windows to compute, with their numbers.

    On the device ``meta``, where there are no numbers and only memory is of interest, the two largest stand
    for all: no more than one is kept while the next is computed.
    """
    numbered = list(enumerate(windows))
    if like.is_meta:
        return heapq.nlargest(2, numbered, key=lambda pair: pair[1].shape[0] * pair[1].shape[1])
    return numbered


def stack_windows(found: list[Tensor], count: int, dim: int) -> Tensor:
    """Return what was found in the windows of `list_windows`, with an entry for each of all windows."""
    return torch.stack([*found, *[found[-1]] * (count - len(found))], dim)


class _WindowMeasures(torch.autograd.Function):
    """Measures windows, and measures them again for their gradients."""

    @staticmethod
    def forward(ctx: Any, windows: Windows, measure: Measure, dim: int, *maps: Tensor) -> Tensor:
        ctx.save_for_backward(*maps)
        ctx.windows, ctx.measure, ctx.dim = windows, measure, dim
        found = [measure(cut_window(maps, window), i) for i, window in list_windows(windows, maps[0])]
        return stack_windows(found, len(windows), dim)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        maps = ctx.saved_tensors
        totals = [torch.zeros_like(one) for one in maps]
        # From the last window to the first, as autograd would add them: sums keep their bits.
        for i, window in reversed(list_windows(ctx.windows, maps[0])):
            parts = [part.detach().requires_grad_(True) for part in cut_window(maps, window)]
            with torch.enable_grad():
                found = ctx.measure(parts, i)
            gradients = torch.autograd.grad(found, parts, gradient.select(ctx.dim, i))
            for part, added in zip(cut_window(totals, window), gradients, strict=True):
                part += added
        return None, None, None, *totals
