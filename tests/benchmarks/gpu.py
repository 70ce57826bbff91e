"""Measure everything that a GPU is needed for, in about ten minutes, and print it as it comes.

``python tests/benchmarks/gpu.py -o gpu.json`` needs this package only. Each part is printed and written
when it is done, so that an interrupted run keeps what it has. ``--quick`` shows on any computer whether the
script runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from gpu_evaluations import compare_graphs, count_waits, measure_members

from stimgen.benchmark.batches import measure_batches
from stimgen.benchmark.ceiling import best_rates, ceiling_tasks
from stimgen.benchmark.evaluation import DEPTH, QUICK_DEPTH, convolution_flops, evaluation_task
from stimgen.benchmark.machine import describe_machine
from stimgen.benchmark.memory import measure_memory
from stimgen.benchmark.subject import BenchmarkSubject, texture_method
from stimgen.benchmark.timing import time_interleaved
from stimgen.execution.device import find_device
from stimgen.execution.slots import default_batch_size
from stimgen.protocol.load import load_protocol
from stimgen.stimulus_set import StimulusSet
from stimgen.workflow.generate import GenerateOptions, generate_set

SMALL = """\
name: small
preparation: {size: 32}
sources: [{file: skimage:coffee}]
synthesis: {scales: 1, evaluations: 3}
conditions: [{id: texture, depth: scale2}]
seeds: {count: 2}
"""


class Setting(NamedTuple):
    """Says what is measured on."""

    device: torch.device
    quick: bool
    folder: Path

    def generate(self, name: str, device: str, batch_size: int | None = None) -> StimulusSet:
        protocol: str | Path = "smoke"
        if self.quick:
            protocol = self.folder / "small.yaml"
            protocol.write_text(SMALL)
        folder = self.folder / name
        generate_set(load_protocol(protocol), folder, GenerateOptions(device, batch_size))
        return StimulusSet(folder)


def measure_sameness(setting: Setting) -> dict[str, Any]:
    """Make a set twice on the device, which must agree, once with 4 slots, and once on the processor."""
    first, again = (setting.generate(name, str(setting.device)) for name in ("first", "again"))
    fewer, processor = setting.generate("fewer", str(setting.device), 4), setting.generate("processor", "cpu")
    ratios = first.table.loss_end / processor.table.loss_end
    return {
        "stimuli": len(first.records),
        "identical": _count_identical(first, again),
        "identical_with_4_slots": _count_identical(first, fewer),
        "slots": sorted({record.made.slots for record in first.records.values()}),
        "loss_compared_with_processor": {
            name: float(value) for name, value in ratios.groupby(first.table.condition).mean().items()
        },
    }


def _count_identical(one: StimulusSet, other: StimulusSet) -> int:
    return sum(record.content == other.records[key].content for key, record in one.records.items())


@contextmanager
def allow_tf32(*, allowed: bool) -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def measure_ceiling(setting: Setting) -> dict[str, Any]:
    """Time matrix products in float32, TF32 and bfloat16, and evaluations of VGG-19."""
    subject = BenchmarkSubject(48 if setting.quick else 256, setting.device)
    depth, repeats = (QUICK_DEPTH, 2) if setting.quick else (DEPTH, 7)
    tasks = ceiling_tasks(setting.device, quick=setting.quick)
    evaluations = {f"engine {kind}": evaluation_task(subject, depth, kind) for kind in ("float32", "mixed")}
    with allow_tf32(allowed=False):
        times = time_interleaved(tasks | evaluations, repeats, setting.device)
    with allow_tf32(allowed=True):
        fast = best_rates(time_interleaved(tasks, repeats, setting.device))["float32"]
    best = best_rates(times) | {"tf32": fast}
    flops = convolution_flops(evaluations["engine float32"])
    rates = {kind.removeprefix("engine "): flops / times[kind].minimum for kind in evaluations}
    return {
        "peak_flops_per_second": {kind: one["flops_per_second"] for kind, one in best.items()},
        "evaluation_flops_per_second": rates,
        "share_of_peak": {
            "float32": rates["float32"] / best["float32"]["flops_per_second"],
            "float32, of tf32": rates["float32"] / fast["flops_per_second"],
            "mixed, of bfloat16": rates["mixed"] / best["bfloat16"]["flops_per_second"],
        },
    }


def measure_pace(setting: Setting) -> dict[str, Any]:
    """Estimate stimuli a minute over sizes of pictures and batches, and what the rule of slots reaches."""
    sides, sizes = ((32,), (1, 2)) if setting.quick else ((64, 128, 256, 400), (1, 4, 16, 64, 128))
    method = texture_method(2 if setting.quick else None)
    found: dict[str, Any] = {}
    for side in sides:
        subject, paces = BenchmarkSubject(side, setting.device), dict[int, float]()
        usual = default_batch_size(setting.device.type, (side, side, 3))
        for size in sorted({*sizes, usual}):
            try:
                (row,) = measure_batches(method, subject, (size,), 1)
                paces[size] = found[f"{side} px, batch of {size}"] = row["stimuli_per_minute"]
            except torch.OutOfMemoryError:
                found[f"{side} px, batch of {size}"] = None
                torch.cuda.empty_cache()
        if usual in paces:
            found[f"{side} px, rule compared with best"] = paces[usual] / max(paces.values())
    return found


def measure_predictions(setting: Setting) -> dict[str, Any]:
    """Compare peaks of memory with what `stimgen plan` predicts."""
    cases = ((48, 2),) if setting.quick else ((128, 16), (256, 1), (256, 16), (400, 16))
    return {
        f"{side} px, batch of {stimuli}": measure_memory(BenchmarkSubject(side, setting.device), stimuli, 3)
        for side, stimuli in cases
    }


def measure_processes(setting: Setting) -> dict[str, Any]:
    """Time one process, and two at the same time on the same device, that each make a set."""
    name = str(setting.folder / "small.yaml") if setting.quick else "smoke"
    (setting.folder / "small.yaml").write_text(SMALL)
    command = [sys.executable, "-m", "stimgen", "generate", name, "-q", "--device", str(setting.device), "-o"]

    def time_processes(count: int) -> float:
        began = time.perf_counter()
        running = [
            subprocess.Popen([*command, str(setting.folder / f"process-{count}-{i}")]) for i in range(count)
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise RuntimeError(f"a process failed: {codes}")
        return time.perf_counter() - began

    one, two = time_processes(1), time_processes(2)
    return {"one": one, "two": two, "stimuli_of_two_compared_with_one": 2 * one / two}


def measure_members_of_families(setting: Setting) -> dict[str, Any]:
    """Evaluate every statistic and network twice: the bits must be the same."""
    return measure_members(setting.device, quick=setting.quick)


def measure_waits(setting: Setting) -> dict[str, Any]:
    """Count how often an evaluation waits for the GPU."""
    return count_waits(setting.device, quick=setting.quick)


def measure_graphs(setting: Setting) -> dict[str, Any]:
    """Compare evaluations with compiled ones and with CUDA graphs."""
    return compare_graphs(setting.device, quick=setting.quick)


PARTS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "sameness": measure_sameness,
    "members": measure_members_of_families,
    "waits": measure_waits,
    "ceiling": measure_ceiling,
    "stimuli_per_minute": measure_pace,
    "memory": measure_predictions,
    "seconds_of_processes": measure_processes,
    "graphs": measure_graphs,
}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure all parts, and return what was found; a part that fails is reported, and the others go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=PARTS, action="append")
    chosen = parser.parse_args(arguments)
    device = find_device(chosen.device)
    found: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "quick": chosen.quick}
    found["machine"] = describe_machine(device)
    for name in chosen.part or PARTS:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="gpu-") as folder:
            try:
                found[name] = PARTS[name](Setting(device, chosen.quick, Path(folder)))
            except Exception as error:  # time on a GPU is short: the other parts are measured
                found[name] = {"failed": f"{type(error).__name__}: {error}"}
        found[name]["seconds_needed"] = round(time.perf_counter() - began, 1)
        sys.stdout.write(json.dumps({name: found[name]}, indent=1) + "\n")
        sys.stdout.flush()
        if chosen.output:
            chosen.output.write_text(json.dumps(found, indent=1) + "\n")
    return found


if __name__ == "__main__":
    main()
