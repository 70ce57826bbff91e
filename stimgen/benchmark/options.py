"""Holds what the user asked `stimgen bench` for, and how much is done for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stimgen.benchmark.evaluation import DEPTH, QUICK_DEPTH
from stimgen.benchmark.subject import MAX_SIZE
from stimgen.execution.context import MAX_WORKERS
from stimgen.execution.executor import require_dask
from stimgen.reading.errors import StimgenError

MIN_SIZE = 32  # two positions are left of it at pool4


@dataclass(frozen=True)
class BenchOptions:
    """Holds what the user asked for."""

    device: str = "auto"
    """The device to compute on, as `find_device` takes it."""
    size: int | None = None
    """The side of the picture in pixels; None stands for 256, or for 48 with `quick`."""
    workers: int | None = None
    """The number of processes that make stimuli at the same time, if these are to be measured too."""
    quick: bool = False
    """Whether everything is small, to see whether it runs: the figures then mean little."""


@dataclass(frozen=True)
class Effort:
    """Says how much is measured."""

    size: int
    """The side of pictures in pixels."""
    depth: str
    """The deepest layer of the VGG-19 that is evaluated."""
    repeats: int
    batch_repeats: int
    """How often evaluations and batches are measured."""
    texture: int | None
    """The evaluations of one texture at each scale; None stands for the usual number."""
    workers: int
    memory: int
    """The evaluations at each scale where workers, and where memory, are measured."""
    stimuli: tuple[int, ...]
    """The sizes of the batches whose memory is measured."""


QUICK_EFFORT = Effort(48, QUICK_DEPTH, 2, 1, 2, 2, 2, (1,))
USUAL_EFFORT = Effort(256, DEPTH, 7, 3, None, 20, 3, (1, 4))


def choose_effort(options: BenchOptions) -> Effort:
    """Return how much is to be measured.

    Raises `StimgenError` if an option is out of range, or a package that it needs is not installed.
    """
    effort = QUICK_EFFORT if options.quick else USUAL_EFFORT
    if options.size is not None:
        check_range("--size", options.size, (MIN_SIZE, MAX_SIZE))
        effort = replace(effort, size=options.size)
    if options.workers is not None:
        require_dask()
        check_range("--workers", options.workers, (2, MAX_WORKERS))
    return effort


def check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    """Refuse a number that is out of range.

    Raises `StimgenError` with the option and its range.
    """
    if not allowed[0] <= value <= allowed[1]:
        raise StimgenError(f"`{name}`: {value} is out of range ({allowed[0]} to {allowed[1]})")
