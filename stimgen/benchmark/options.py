"""What the user asked `stimgen bench` for, and how much is done for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from stimgen.benchmark.evaluation import DEPTH, QUICK_DEPTH
from stimgen.benchmark.plenoptic import ITERATIONS, require_plenoptic
from stimgen.benchmark.plenoptic import SMALLEST_SIZE as PLENOPTIC_SIZE
from stimgen.benchmark.plot import require_plot
from stimgen.benchmark.subject import MAX_SIZE
from stimgen.execution.executor import MAX_WORKERS, require_dask
from stimgen.reading.errors import StimgenError

NOTEBOOK, PLENOPTIC = "notebook", "plenoptic"
RIVALS = (NOTEBOOK, PLENOPTIC)
SMALLEST_SIZE = 32  # the whole VGG-19 of the notebook takes nothing smaller
MOST_EVALUATIONS = 100_000


@dataclass(frozen=True)
class BenchOptions:
    """What the user asked for.

    Attributes
    ----------
    device : str
        As `find_device`.
    size : int or None
        Side of the picture in pixels; None: 256, or as small as the rival allows where `quick`.
    against : str or None
        One of `RIVALS`.
    evaluations : int or None
        Evaluations of the notebook; None: 500, or 8 where `quick`.
    plot : Path or None
        Where the curves of loss against seconds go.
    workers : int or None
        Processes that are to make stimuli side by side.
    quick : bool
        Small and seldom, to see whether it runs: its figures mean little.
    """

    device: str = "auto"
    size: int | None = None
    against: str | None = None
    evaluations: int | None = None
    plot: Path | None = None
    workers: int | None = None
    quick: bool = False


@dataclass(frozen=True)
class Effort:
    """How much is done.

    Attributes
    ----------
    size : int
        Side of pictures.
    depth : str
        Of the VGG-19 that is evaluated.
    repeats, batch_repeats : int
        Of evaluations, and of batches.
    texture, workers, memory : int or None
        Evaluations of each scale of one texture, of those that workers make, and where memory is watched;
        None: the usual number.
    stimuli : tuple of int
        Those of the batches whose memory is watched.
    notebook, plenoptic : int
        Evaluations and iterations of the rivals.
    """

    size: int
    depth: str
    repeats: int
    texture: int | None
    batch_repeats: int
    workers: int
    memory: int
    stimuli: tuple[int, ...]
    notebook: int
    plenoptic: int


def choose_effort(options: BenchOptions) -> Effort:
    """Return how much is to be done.

    Raises
    ------
    StimgenError
        An option is out of range; a package that it needs is not installed.
    """
    if options.quick:
        smallest = PLENOPTIC_SIZE if options.against == PLENOPTIC else 48
        usual = Effort(smallest, QUICK_DEPTH, 2, 2, 1, 2, 2, (1,), 8, 4)
    else:
        usual = Effort(256, DEPTH, 7, None, 3, 20, 3, (1, 4), 500, ITERATIONS)
    size = usual.size if options.size is None else options.size
    evaluations = usual.notebook if options.evaluations is None else options.evaluations
    _check(options, size, evaluations)
    return replace(usual, size=size, notebook=evaluations)


def _check(options: BenchOptions, size: int, evaluations: int) -> None:
    if options.against is not None and options.against not in RIVALS:
        raise StimgenError(
            f"`--against`: {options.against!r} is not known", given=options.against, allowed=RIVALS
        )
    _check_range("--size", size, (SMALLEST_SIZE, MAX_SIZE))
    _check_range("--evaluations", evaluations, (1, MOST_EVALUATIONS))
    for name, value in (("--evaluations", options.evaluations), ("--plot", options.plot)):
        if value is not None and options.against != NOTEBOOK:
            raise StimgenError(f"`{name}` is for `--against {NOTEBOOK}` only")
    if options.plot is not None:
        require_plot(options.plot)
    if options.against == PLENOPTIC:
        require_plenoptic(size)
    if options.workers is not None:
        require_dask()
        _check_range("--workers", options.workers, (2, MAX_WORKERS))


def _check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise StimgenError(f"`{name}`: {value} is out of range ({allowed[0]} to {allowed[1]})")
