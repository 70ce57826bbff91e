"""Times one evaluation of the objective with its gradient: random VGG-19, usually up to pool4, one image."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.benchmark.timing import TimedTask, Times, ratio
from stimgen.execution.device import reproducible_computation
from stimgen.networks.vgg19 import Vgg19
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.term import Term

DEPTH, QUICK_DEPTH = "pool4", "pool2"
# The kind of number that networks compute with, by the precision of `SynthesisSettings`.
KINDS = {"float32": "float32", "mixed": "bfloat16"}


def evaluation_task(subject: BenchmarkSubject, depth: str = DEPTH, precision: str = "float32") -> TimedTask:
    """Return one evaluation of the usual Gram objective with its gradient, for one image.

    With mixed precision it is an evaluation in bfloat16.
    """
    source = torch.from_numpy(subject.source.transpose(2, 0, 1).copy()).unsqueeze(0).to(subject.device)
    rows = torch.zeros(1, dtype=torch.long, device=subject.device)
    dtype: torch.dtype = getattr(torch, KINDS[precision])
    term, image = Term(network=Vgg19(), depth=depth), 1.0 - source
    objective = Objective((term,), Unconstrained(), BatchSources(source, rows), dtype)

    def evaluate() -> None:
        with reproducible_computation(subject.device):
            objective(image, rows)

    return evaluate


def convolution_flops(task: TimedTask) -> int:
    """Return the operations of a task's convolutions, forwards and backwards, two for each multiplication.

    Gram matrices and pooling are not counted, so that the share of the ceiling is never too high.
    """
    with FlopCounterMode(display=False) as counter:
        task()
    counts = counter.get_flop_counts()["Global"]
    return sum(count for operation, count in counts.items() if "convolution" in str(operation))


def evaluation_summary(flops: int, measured: Times, ceiling: dict[str, Any]) -> dict[str, Any]:
    """Return seconds, rate, and the rate's share of a ceiling of `best_rates`."""
    rate = flops / measured.minimum
    return {
        "flops": flops,
        "seconds": measured.to_dict(),
        "flops_per_second": rate,
        "share_of_ceiling": ratio(rate, ceiling["flops_per_second"]),
    }
