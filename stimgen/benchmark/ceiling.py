"""Measures the machine's ceiling: its rate of large matrix products, which convolutions are made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from stimgen.benchmark.timing import TimedTask, Times

KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Which side is fastest depends on caches; the best one counts.
SIDES = {"cpu": (1024, 2048, 3072)}
SIDES_ELSEWHERE = (4096, 8192)
QUICK_SIDES = (256,)


def ceiling_tasks(device: torch.device, *, quick: bool) -> dict[str, TimedTask]:
    """Return products of two square matrices by kind of number, side and method: ``float32 2048 matrix``.

    Each product is also computed as a convolution of 1 x 1, because the libraries of the two differ: on AMD
    processors the convolution is twice as fast in float32, and a ceiling must not lie below it.
    """
    sides = QUICK_SIDES if quick else SIDES.get(device.type, SIDES_ELSEWHERE)
    return {
        f"{kind} {side} {way}": make(kind, side, device)
        for kind in KINDS
        for side in sides
        for way, make in {"matrix": _product, "convolution": _convolution}.items()
    }


def best_rates(times: Mapping[str, Times]) -> dict[str, dict[str, Any]]:
    """Return the best rate for every kind of number, given times of `ceiling_tasks` and perhaps others.

    Each has ``flops_per_second`` (two for a multiplication and addition), ``side``, ``way``, ``seconds``.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, measured in times.items():
        kind, _, product = name.partition(" ")
        if kind in KINDS:
            side, way = product.split()
            rate = 2 * int(side) ** 3 / measured.minimum
            if kind not in found or rate > found[kind]["flops_per_second"]:
                found[kind] = {"flops_per_second": rate, "side": int(side), "way": way}
                found[kind]["seconds"] = measured.to_dict()
    return found


def _product(kind: str, side: int, device: torch.device) -> TimedTask:
    # Products of ones are exact and never denormal, and take as long as those of any other numbers.
    left = torch.ones(side, side, dtype=KINDS[kind], device=device)
    return partial(torch.mm, left, torch.ones_like(left), out=torch.empty_like(left))


def _convolution(kind: str, side: int, device: torch.device) -> TimedTask:
    maps = torch.ones(1, side, 32, side // 32, dtype=KINDS[kind], device=device)
    filters = torch.ones(side, side, 1, 1, dtype=KINDS[kind], device=device)
    maps, filters = (each.contiguous(memory_format=torch.channels_last) for each in (maps, filters))
    return partial(torch.nn.functional.conv2d, maps, filters)
