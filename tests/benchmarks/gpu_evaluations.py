"""Looks at single evaluations on a GPU: the same bits again, what waits for it, what graphs would gain."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from stimgen.benchmark.subject import BenchmarkSubject, texture_method
from stimgen.benchmark.timing import synchronise, time_interleaved
from stimgen.execution.device import reproducible_computation
from stimgen.execution.slots import default_batch_size
from stimgen.networks import NETWORKS
from stimgen.statistics import STATISTICS
from stimgen.statistics.regions import REGIONS
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges import PIXEL_CONSTRAINTS
from stimgen.synthesis.term import Term

FEW = ("gram", "histogram")  # statistics that show whether the script runs


class PreparedEvaluation(NamedTuple):
    """Holds an objective with where it is evaluated."""

    objective: Objective
    images: Tensor
    rows: Tensor

    def evaluate(self) -> Evaluation:
        return self.objective(self.images, self.rows)


def prepare_evaluation(term: Term, side: int, slots: int, device: torch.device) -> PreparedEvaluation:
    """Return the evaluation of a term at random pictures, whose sources are random pictures, too."""
    chance = torch.Generator().manual_seed(1)
    images, sources = (torch.rand(slots, 3, side, side, generator=chance).to(device) for _ in range(2))
    rows = torch.arange(slots, device=device)
    keys = tuple(("source", seed) for seed in range(slots))
    constraint = PIXEL_CONSTRAINTS.members["soft"]()
    return PreparedEvaluation(Objective([term], constraint, BatchSources(sources, rows, keys)), images, rows)


def measure_members(device: torch.device, *, quick: bool) -> dict[str, Any]:
    """Evaluate every statistic and network twice: the bits must be the same, and nothing refused."""
    found: dict[str, Any] = {"same_bits": 0, "other_bits": [], "refused": {}}
    for name, term in _list_terms(quick=quick):
        try:
            with reproducible_computation(device):
                prepared = prepare_evaluation(term(), 64, 2, device)
                first, again = (prepared.evaluate() for _ in range(2))
        except Exception as error:  # the others are to be evaluated
            found["refused"][name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            continue
        if torch.equal(first.gradient, again.gradient) and torch.equal(first.parts, again.parts):
            found["same_bits"] += 1
        else:
            found["other_bits"].append(name)
    return found


def _list_terms(*, quick: bool) -> Iterator[tuple[str, Callable[[], Term]]]:
    network = NETWORKS.members["rectified_wavelets"]()
    layers = tuple(list(network.layers())[:3])
    cells = REGIONS.members["grid"](rows=2, columns=2)
    for name, statistic in STATISTICS.members.items():
        if name == "portilla_simoncelli" or (quick and name not in FEW):
            continue  # the first needs a network of its own, below
        yield name, lambda kind=statistic: Term(network=network, layers=layers, statistic=kind())
        if statistic().pools:
            yield (
                f"{name}, regions 2x2",
                lambda kind=statistic: Term(network=network, layers=layers, statistic=kind(), regions=cells),
            )
    for name, kind in NETWORKS.members.items():
        if not quick:
            yield name, lambda kind=kind: Term(network=kind(), layers=tuple(list(kind().layers())[:3]))
    pyramid = NETWORKS.members["steerable_pyramid"]()
    statistic = STATISTICS.members["portilla_simoncelli"]
    yield (
        "portilla_simoncelli",
        lambda: Term(network=pyramid, layers=tuple(pyramid.layers()), statistic=statistic()),
    )


def count_waits(device: torch.device, *, quick: bool) -> dict[str, Any]:
    """Count how often an evaluation of the usual texture waits for the GPU, and where."""
    if device.type != "cuda":
        return {"not_measured": "only CUDA tells when it is waited for"}
    evaluations = 3 if quick else 20
    method, subject = texture_method(evaluations), BenchmarkSubject(128, device)
    method.load(device)
    with warnings.catch_warnings(record=True) as caught, reproducible_computation(device):
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            total = sum(1 for _ in method.run(subject.batch(method, 4), device))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [warning for warning in caught if "synchronizing" in str(warning.message)]
    places = Counter(f"{Path(one.filename).name}:{one.lineno}" for one in waits)
    return {"an_evaluation": len(waits) / total, "places": dict(places.most_common(20))}


def compare_graphs(device: torch.device, *, quick: bool) -> dict[str, Any]:
    """Compare evaluations as they are with torch.compile and with a CUDA graph: seconds, and bits."""
    network = NETWORKS.members["rectified_wavelets"]()
    term, found = Term(network=network, layers=tuple(list(network.layers())[:4])), {}
    for side in (32,) if quick else (64, 128, 256):
        slots = 2 if quick else default_batch_size(device.type, (side, side, 3))
        prepared = prepare_evaluation(term, side, slots, device)
        with reproducible_computation(device):
            found[f"{side} px, batch of {slots}"] = _compare_ways(prepared, device, quick=quick)
    return found


def _compare_ways(prepared: PreparedEvaluation, device: torch.device, *, quick: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tasks: dict[str, Callable[[], Evaluation]] = {"as_it_is": prepared.evaluate}
    ways = {"compiled": lambda: compile_evaluation(prepared, quick=quick)}
    if device.type == "cuda":
        ways["graph"] = lambda: capture_graph(prepared)
    wanted = prepared.evaluate()
    for name, make in ways.items():
        began = time.perf_counter()
        try:
            tasks[name] = make()
            result = tasks[name]()
            synchronise(device)
        except Exception as error:  # what cannot be traced or captured is what we want to know
            tasks.pop(name, None)
            found[name] = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
            continue
        difference = (result.gradient - wanted.gradient).abs().max() / wanted.gradient.abs().max()
        found[name] = {
            "seconds_to_prepare": time.perf_counter() - began,
            "largest_difference": float(difference),  # of gradients; 0: the same bits
        }
    times = time_interleaved(tasks, 2 if quick else 20, device)
    for name, measured in times.items():
        found.setdefault(name, {})["seconds"] = measured.minimum
        found[name]["times_as_fast"] = times["as_it_is"].minimum / measured.minimum
    return found


def compile_evaluation(prepared: PreparedEvaluation, *, quick: bool) -> Callable[[], Evaluation]:
    """Return the evaluation compiled by PyTorch; `quick` only traces it."""
    objective, images, rows = prepared
    measure = torch.compile(
        lambda pixels: objective._compute_parts(pixels, objective._draw_targets(rows, pixels, 0)),
        backend="aot_eager" if quick else "inductor",
    )

    def evaluate() -> Evaluation:
        with torch.enable_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about cached functions, which are the same for these pictures
            leaf = images.detach().requires_grad_(True)
            parts = measure(leaf)
            (gradient,) = torch.autograd.grad(parts.sum(), leaf)
        return Evaluation(parts.detach(), gradient)

    return evaluate


def capture_graph(prepared: PreparedEvaluation) -> Callable[[], Evaluation]:
    """Return the evaluation as a CUDA graph, which launches all its kernels at once."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            prepared.evaluate()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = prepared.evaluate()

    def evaluate() -> Evaluation:
        graph.replay()
        return found

    return evaluate
