"""What the trace of a loss says of convergence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hand_made import write_set

from stimgen.execution.quality import has_converged
from stimgen.execution.writer import format_trace
from stimgen.experiment.pictures.remedies import FLAT_PER_CENT, measure_last_fall
from stimgen.synthesis.methods import Losses, TraceEntry


def trace(losses: Sequence[float], scale: int = 0) -> list[TraceEntry]:
    return [TraceEntry(scale, i + 1, Losses(loss, {})) for i, loss in enumerate(losses)]


def falling(exponent: float, count: int = 100) -> list[float]:
    return [(i + 1) ** -exponent for i in range(count)]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (falling(1.0), True),  # log(100 / 90) of log(100): 2.3 %
        (falling(1.0, 60), False),  # log(60 / 54) of log(60): 2.6 %
        ([0.9**i for i in range(100)], False),  # an even fall of the logarithm
        ([0.5**i for i in range(100)], True),  # nothing is left
        ([1.0] + [0.5] * 89 + [0.49] * 10, False),  # log(50 / 49) of log(100 / 49): 2.8 %
        ([1.0] + [0.5] * 89 + [0.492] * 10, True),  # 2.3 %
        ([1.0] * 50 + [0.1] * 40 + [0.2] * 10, True),  # what counts is the lowest
        ([1.0] * 80 + [0.0] * 20, True),
        ([1.0] * 98 + [math.nan] * 2, False),
        ([0.5] * 10, False),  # it never fell
        ([0.5] * 8 + [0.1], False),  # too few to tell
    ],
)
def test_the_last_tenths_tell(losses: list[float], expected: bool) -> None:
    assert has_converged(trace(losses), "evaluations") is expected


def test_only_the_finest_scale_counts() -> None:
    flat, steep = [1.0] + [0.5] * 49, [0.9**i for i in range(50)]
    assert has_converged(trace(steep) + trace(flat, 1), "evaluations") is True
    assert has_converged(trace(flat) + trace(steep, 1), "evaluations") is False


def test_within_the_tolerance_it_has() -> None:
    assert has_converged(trace(falling(2.0, 12)), "tolerance") is True
    assert has_converged(trace(falling(2.0, 12)), "no_descent") is False


def test_without_a_trace_there_is_nothing_to_say() -> None:
    assert has_converged([], "made") is None


@pytest.mark.parametrize("exponent", [0.5, 2.0])
@pytest.mark.parametrize("count", [10, 60, 100])
def test_what_an_experiment_is_told_agrees_with_the_record(
    tmp_path: Path, exponent: float, count: int
) -> None:
    entries = trace(falling(1.0)) + trace(falling(exponent, count), 1)
    store = write_set(tmp_path / "set")
    content = next(iter(store.read_records())).content
    (store.folder / content.trace.file).write_bytes(format_trace(entries))
    told = measure_last_fall(store, content)
    assert told is not None
    assert (told < FLAT_PER_CENT) is has_converged(entries, "evaluations")


def test_a_trace_that_does_not_tell_is_passed_over(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    content = next(iter(store.read_records())).content
    for text in (b"", b"scale,evaluation,total\n", b"\xff", b"scale,evaluation,total\n" + b"0,1,1\n" * 20):
        (store.folder / content.trace.file).write_bytes(text)
        assert measure_last_fall(store, content) is None
