"""Times one whole texture, from start image to finished picture."""

from __future__ import annotations

import time
from typing import Any

from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.execution.device import reproducible_computation
from stimgen.synthesis.methods import ObjectiveMethod


def time_texture(method: ObjectiveMethod, subject: BenchmarkSubject) -> dict[str, Any]:
    """Make one texture as `stimgen generate` does, without reading and writing files, and time it.

    Returns
    -------
    dict
        ``seconds``, ``evaluations``, ``schedule`` (width, height, evaluations of every scale), ``loss``.
    """
    method.load(subject.device)
    batch = subject.batch(method, 1)
    began = time.perf_counter()
    with reproducible_computation(subject.device):
        *_, last = method.run(batch, subject.device)
    return {
        "size": subject.size,
        "channels": subject.source.shape[2],
        "seconds": time.perf_counter() - began,
        "evaluations": last.evaluation,
        "schedule": [list(scale) for scale in method.schedule(subject.size, subject.size)],
        "loss": float(last.losses[0]),
    }
