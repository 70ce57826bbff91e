"""Estimates the time of a batch from a few evaluations at every scale."""

from __future__ import annotations

import time

import torch

from stimgen.execution.device import reproducible_computation
from stimgen.synthesis.methods import Method, SynthesisBatch

PROBED_EVALUATIONS = 3


def estimate_batch_seconds(
    method: Method, batch: SynthesisBatch, device: torch.device, probed: int = PROBED_EVALUATIONS
) -> float:
    """Time `probed` evaluations at every scale and return the seconds that a whole batch will take.

    A method without evaluations is run to its end.
    """
    height, width = batch.items[0].source.shape[:2]
    schedule, short = method.schedule(width, height), method.limit_evaluations(probed)
    moments: list[list[float]] = [[] for _ in schedule]
    began = time.perf_counter()
    with reproducible_computation(device):
        for step in short.run(batch, device):
            moments[step.scale].append(time.perf_counter())
    if not any(moments):
        return time.perf_counter() - began
    # The first evaluation of a scale is not counted, because it measures the targets too.
    each = [(times[-1] - times[0]) / max(1, len(times) - 1) for times in moments]
    return sum(seconds * count for seconds, (_, _, count) in zip(each, schedule, strict=True))
