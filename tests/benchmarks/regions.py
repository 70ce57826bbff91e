"""Measures what pooling regions cost: core seconds of an evaluation and memory, beside the whole image.

Run it as ``OMP_NUM_THREADS=1 python tests/benchmarks/regions.py``. Memory is measured in a process of its own
for each layout, on Linux.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch

from stimgen.benchmark.memory import MemoryWatch
from stimgen.benchmark.subject import MAX_SIZE, BenchmarkSubject
from stimgen.execution.device import reproducible_computation
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.memory import predict_tensor_bytes
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.synthesis.objective import Objective

CPU = torch.device("cpu")
IMAGES = 2
DEPTHS = {"embedded": "scale4", "vgg19": "pool4", "squeezenet1_0": "fire5"}
LAYOUTS: dict[str, Any] = {
    "1x1": "1x1",
    "2x2": "2x2",
    "4x4": "4x4",
    "8x8": "8x8",
    "8x8, hard borders": {"name": "grid", "rows": 8, "columns": 8, "overlap": 0.0},
    "polar, scaling 1": {"name": "polar", "scaling": 1.0},
    "polar, scaling 0.3": {"name": "polar", "scaling": 0.3},
    "20x20": "20x20",
}


def make_method(network: str, statistic: str, regions: Any) -> ObjectiveMethod:
    """Return a method of one term at one scale, with two evaluations."""
    term = {"network": network, "depth": DEPTHS[network], "statistic": statistic, "regions": regions}
    return ObjectiveMethod.model_validate({"terms": [term], "synthesis": {"scales": 1, "evaluations": 2}})


def time_evaluation(method: ObjectiveMethod, size: int, repeats: int) -> float:
    """Return the least core seconds of an evaluation with its gradient, for each of two images."""
    generator = torch.Generator().manual_seed(0)
    sources, images = (torch.rand(IMAGES, 3, size, size, generator=generator) for _ in range(2))
    rows = torch.arange(IMAGES)
    with reproducible_computation(CPU):
        batch = BatchSources(sources, rows, tuple(("source", seed) for seed in range(IMAGES)))
        objective = Objective(method.terms, method.synthesis.range, batch)
        objective(images, rows)
        found = []
        for _ in range(repeats):
            begun = time.process_time()
            objective(images, rows)
            found.append(time.process_time() - begun)
    return min(found) / IMAGES


def measure_peak(method: ObjectiveMethod, size: int) -> int:
    """Return the peak of this process' memory while two images are made, above what it had before."""
    warm = ObjectiveMethod.model_validate({"terms": [{"depth": "scale1"}], "synthesis": {"scales": 1}})
    peak = 0
    for each, side in ((warm.limit_evaluations(1), 32), (method, size)):
        subject = BenchmarkSubject(side, CPU)
        each.load(CPU)
        watch = MemoryWatch()
        watch.start()
        with reproducible_computation(CPU):
            deque(each.run(subject.batch(each, IMAGES), CPU), maxlen=0)
        peak = watch.end()
    return peak


def measure_layout(network: str, statistic: str, size: int, layout: str, repeats: int) -> dict[str, Any]:
    """Return the figures of one layout of regions."""
    method = make_method(network, statistic, LAYOUTS[layout])
    predicted = IMAGES * method.estimate_memory(size, size, 3)
    command = [sys.executable, __file__, "--peak", layout, "--network", network, "--statistic", statistic]
    done = subprocess.run([*command, "--size", str(size)], capture_output=True, text=True, check=True)
    peak = int(done.stdout)
    tensors = predict_tensor_bytes(method.terms, method.synthesis, (size, size, 3))
    return {
        "regions": method.terms[0].regions.count_regions(size, size),
        "core_seconds": time_evaluation(method, size, repeats),
        "tensors": IMAGES * tensors.most,
        "predicted": predicted,
        "peak": peak,
        "peak_to_predicted": peak / predicted,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of all layouts as JSON, with ratios to the whole image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=DEPTHS, default="embedded")
    parser.add_argument("--statistic", default="gram")
    parser.add_argument("--size", type=int, default=128, help=f"pixels, at most {MAX_SIZE}")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--peak", choices=LAYOUTS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.peak is not None:
        method = make_method(given.network, given.statistic, LAYOUTS[given.peak])
        sys.stdout.write(str(measure_peak(method, given.size)))
        return
    rows = {
        layout: measure_layout(given.network, given.statistic, given.size, layout, given.repeats)
        for layout in given.layouts
    }
    whole = next(iter(rows.values()))
    for row in rows.values():
        row["to_first"] = row["core_seconds"] / whole["core_seconds"]
    sys.stdout.write(json.dumps({**vars(given), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
