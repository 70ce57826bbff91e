"""Measures how many stimuli a minute several processes make, and one."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from stimgen.benchmark.subject import PHOTOGRAPH, BenchmarkSubject
from stimgen.benchmark.timing import ratio
from stimgen.execution.batch import form_batches
from stimgen.execution.context import RunContext
from stimgen.execution.dask.dispatcher import DaskExecutor
from stimgen.execution.dask.local_cluster import available_cores, start_workers
from stimgen.execution.progress import RunProgress, ignore_progress
from stimgen.execution.slots import default_batch_size
from stimgen.protocol.load import parse_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.reading.document import parse_document
from stimgen.stimulus_set.lock import lock_set
from stimgen.stimulus_set.store import Store

BATCHES = 4  # of each worker
PROTOCOL = """\
name: bench
preparation: {{size: {size}}}
sources: [{{file: "skimage:{photograph}"}}]
synthesis: {{evaluations: {evaluations}}}
conditions: [{{id: texture, depth: scale3}}]
seeds: {{first: 1, count: {count}}}
"""


def compare_workers(subject: BenchmarkSubject, workers: int, evaluations: int) -> dict[str, Any]:
    """Let one worker make stimuli, then several, each with as many batches and so many evaluations a scale.

    Raises `StimgenError` if there are fewer GPUs, or a worker cannot be started.

    Returns
    -------
    dict
        ``rows`` for one worker, for all, and on a CPU for one with all the cores: ``workers``, ``threads`` of
        each, ``stimuli``, ``seconds`` from the beginning of the first batch to the end of the last, and
        ``stimuli_per_minute``; ``one_to_all``: how many times faster all are than one.
    """
    cores = available_cores()
    threads = max(1, cores // workers)
    teams = [(1, threads), (workers, threads)]
    if subject.device.type == "cpu" and threads < cores:
        teams.append((1, cores))
    rows = [_row(subject, *team, evaluations) for team in teams]
    one, all_of_them = (row["seconds"] / row["stimuli"] for row in rows[:2])
    return {"rows": rows, "one_to_all": ratio(one, all_of_them)}


def _row(subject: BenchmarkSubject, workers: int, threads: int, evaluations: int) -> dict[str, Any]:
    kind, size = subject.device.type, _batch_size(subject)
    with tempfile.TemporaryDirectory(prefix="stimgen-") as place:
        plan = plan_benchmark(Path(place), subject, workers, evaluations)
        store = Store.create(Path(place) / "set")
        with lock_set(store.folder), start_workers(workers, kind, threads) as client:
            progress = RunProgress()
            executor = DaskExecutor(client, (), kind, progress.notices.append)
            context = RunContext(plan, store, executor.device, size)
            executor.run(form_batches(plan.stimuli, size), context, progress, ignore_progress)
        made = [store.read_record(stimulus.id).made for stimulus in plan.stimuli]
    # From the first beginning to the last end, without the time of starting workers.
    began = min(datetime.fromisoformat(one.started) for one in made)
    seconds = (max(datetime.fromisoformat(one.finished) for one in made) - began).total_seconds()
    return {
        "workers": workers,
        "threads": threads,
        "stimuli": len(made),
        "seconds": seconds,
        "stimuli_per_minute": 60 * len(made) / seconds,
    }


def plan_benchmark(place: Path, subject: BenchmarkSubject, workers: int, evaluations: int) -> ProtocolPlan:
    """Return the plan of `BATCHES` batches for each worker."""
    count = workers * BATCHES * _batch_size(subject)
    text = PROTOCOL.format(size=subject.size, photograph=PHOTOGRAPH, evaluations=evaluations, count=count)
    return make_plan(parse_protocol(parse_document(text, place / "bench.yaml")))


def _batch_size(subject: BenchmarkSubject) -> int:
    return default_batch_size(subject.device.type, (subject.size, subject.size, 3))
