"""Measure what is done to whole sets, and what a run does besides evaluations.

``python tests/benchmarks/whole_sets.py`` writes a set of 100,000 tiny stimuli by hand (2 GB of disk), derives
and verifies it in one process and in several, and then makes a few stimuli of 128 px. Each figure has its
wall time and the seconds of this process; those of the others are not in it. ``--quick`` shows only whether
the script runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stimgen.benchmark.machine import describe_machine
from stimgen.execution import batch, executor
from stimgen.execution.missing import find_missing
from stimgen.protocol.load import load_protocol
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import SetIndex
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.methods.trace_recorder import TraceRecorder
from stimgen.synthesis.objective import Objective
from stimgen.workflow.generate import GenerateOptions, generate_set

TESTS = Path(__file__).resolve().parents[1]
PROTOCOL = """\
name: default
preparation: {size: SIZE}
sources: [{file: skimage:astronaut}, {file: skimage:coffee}]
synthesis: {evaluations: COUNT}
conditions: [{id: texture, depth: scale3}, {id: texform, depth: scale1, regions: 2x2}]
seeds: {count: 2}
"""


def time_call(function: Callable[[], object]) -> dict[str, float]:
    began, own = time.monotonic(), time.process_time()
    function()
    return {"seconds": time.monotonic() - began, "of_this_process": time.process_time() - own}


def measure_large_set(folder: Path, stimuli: int, processes: int) -> dict[str, Any]:
    """Return seconds of everything that is done to a whole set."""
    sys.path[:0] = [str(TESTS), str(TESTS / "unit")]  # folders that are no packages
    from test_index import written

    place = written(folder, seeds=stimuli // 2)
    found: dict[str, Any] = {"stimuli": stimuli, "processes": processes}
    place.make()  # writes a plan that describes its protocol
    for count in dict.fromkeys((1, processes)):
        found[f"derive_{count}"] = time_call(partial(write_derived_files, place.store, processes=count))
        found[f"verify_{count}"] = time_call(partial(require_sound, place.store, count))
    plan = place.plan
    found["find_missing"] = time_call(lambda: find_missing(plan, place.store, SetIndex(place.store)))
    found["table"] = time_call(lambda: StimulusSet(place.store.folder).table)
    return found


def require_sound(store: Store, processes: int) -> None:
    problems = verify_set(store, processes).problems
    if problems:
        raise SystemExit("\n".join(problems[:10]))


class Stopwatch:
    """Adds up the seconds of this process that functions take, by what they are."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, place: Any, name: str, what: str) -> None:
        """Replace a function by one that is timed."""
        function = getattr(place, name)

        def timed(*given: Any, **more: Any) -> Any:
            began = time.process_time()
            try:
                return function(*given, **more)
            finally:
                self.add(what, began)

        setattr(place, name, timed)

    def watch_generator(self, place: Any, name: str, what: str) -> None:
        """Replace a generator, whose caller does nothing between its steps."""
        function = getattr(place, name)

        def timed(*given: Any, **more: Any) -> Any:
            began = time.process_time()
            result = yield from function(*given, **more)
            self.add(what, began)
            return result

        setattr(place, name, timed)

    def add(self, what: str, began: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + time.process_time() - began


def measure_run(folder: Path, size: int, evaluations: int) -> dict[str, Any]:
    """Return the seconds of a run's batches, and the share that is neither evaluation nor optimiser."""
    watch = Stopwatch()
    watch.watch(executor, "run_batch", "batches")
    watch.watch(Objective, "__call__", "evaluations")
    watch.watch(Objective, "measure", "losses_for_the_record")
    watch.watch(batch, "write_originals", "originals")
    watch.watch_generator(TraceRecorder, "record", "optimiser_and_evaluations")
    protocol = folder / "default.yaml"
    protocol.write_text(PROTOCOL.replace("SIZE", str(size)).replace("COUNT", str(evaluations)))
    generate_set(load_protocol(protocol), folder / "default", GenerateOptions("cpu"))
    whole, within = watch.seconds["batches"], watch.seconds["optimiser_and_evaluations"]
    return {
        "size": size,
        "evaluations_a_scale": evaluations,
        **watch.seconds,
        "share_besides": 1.0 - within / whole,
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stimuli", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="shows only whether the script runs")
    chosen = parser.parse_args(arguments)
    stimuli, run = (2000, (32, 5)) if chosen.quick else (chosen.stimuli, (128, 100))
    with tempfile.TemporaryDirectory(prefix="whole-sets-") as folder:
        found = {
            "machine": describe_machine(torch.device("cpu")),
            "run": measure_run(Path(folder), *run),
            "large_set": measure_large_set(Path(folder) / "large", stimuli, chosen.processes),
        }
    sys.stdout.write(json.dumps(found, indent=1, default=str) + "\n")
    return found


if __name__ == "__main__":
    main()
