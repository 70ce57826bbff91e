"""What the engine does on this machine, against the machine's ceiling and against rivals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stimgen.benchmark.batches import against_singles, batch_sizes, batches
from stimgen.benchmark.ceiling import ceiling_tasks, ceilings
from stimgen.benchmark.evaluation import (
    DEPTH,
    QUICK_DEPTH,
    convolution_flops,
    evaluation_summary,
    evaluation_task,
)
from stimgen.benchmark.machine import machine
from stimgen.benchmark.memory import memory
from stimgen.benchmark.notebook import Notebook
from stimgen.benchmark.plenoptic import ITERATIONS, metamer, require_plenoptic
from stimgen.benchmark.plenoptic import SMALLEST_SIZE as PLENOPTIC_SIZE
from stimgen.benchmark.plot import plot_losses, require_plot
from stimgen.benchmark.reference_loss import Goal, notebook_objective, reach
from stimgen.benchmark.subject import LARGEST_SIZE, PHOTOGRAPH, Subject, texture_method
from stimgen.benchmark.texture import whole_texture
from stimgen.benchmark.timing import interleaved, ratio
from stimgen.execution.device import find_device
from stimgen.reading.errors import StimgenError

NOTEBOOK, PLENOPTIC = "notebook", "plenoptic"
RIVALS = (NOTEBOOK, PLENOPTIC)
SMALLEST_SIZE = 32  # the whole VGG-19 of the notebook takes nothing smaller
MOST_EVALUATIONS = 100_000

Say = Callable[[str], None]


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
    quick : bool
        Small and seldom, to see whether it runs: its figures mean little.
    """

    device: str = "auto"
    size: int | None = None
    against: str | None = None
    evaluations: int | None = None
    plot: Path | None = None
    quick: bool = False


@dataclass(frozen=True)
class _Effort:
    """How much is done: side of pictures, depth, repeats, evaluations of each scale and of rivals."""

    size: int
    depth: str
    repeats: int
    texture: int | None
    batch_repeats: int
    memory: int
    stimuli: tuple[int, ...]
    notebook: int
    plenoptic: int


def bench(options: BenchOptions, say: Say) -> dict[str, Any]:
    """Measure, and return everything that was measured.

    Parameters
    ----------
    options : BenchOptions
        What to measure.
    say : callable
        Told, before each part, what is being measured.

    Returns
    -------
    dict
        ``date``, ``machine``, ``options``, ``ceiling``, ``evaluation``, ``texture``, ``batches``,
        ``memory``, and what was asked for of ``notebook`` and ``plenoptic``. Ratios come with both numbers.

    Raises
    ------
    StimgenError
        An option is out of range; a package that it needs is not installed.
    """
    effort = _effort(options)
    _check(options, effort)
    subject = Subject(effort.size, find_device(options.device))
    notebook = Notebook(subject.source, subject.device) if options.against == NOTEBOOK else None
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(subject.device),
        "options": {"quick": options.quick, "photograph": PHOTOGRAPH, **asdict(effort)},
        **_speed(subject, effort, notebook, say),
        **_stimuli(subject, effort, options, say),
    }
    if notebook is not None:
        found["notebook"] |= _reference_loss(subject, notebook, options, say)
        found["notebook"]["busy"] = _busy(found["notebook"])
    elif options.against == PLENOPTIC:
        found["plenoptic"] = _plenoptic(effort, subject, say)
    return found


def _effort(options: BenchOptions) -> _Effort:
    if options.quick:
        smallest = PLENOPTIC_SIZE if options.against == PLENOPTIC else 48
        usual = _Effort(smallest, QUICK_DEPTH, 2, 2, 1, 2, (1,), 8, 4)
    else:
        usual = _Effort(256, DEPTH, 7, None, 3, 3, (1, 4), 500, ITERATIONS)
    size = usual.size if options.size is None else options.size
    evaluations = usual.notebook if options.evaluations is None else options.evaluations
    return replace(usual, size=size, notebook=evaluations)


def _check(options: BenchOptions, effort: _Effort) -> None:
    if options.against is not None and options.against not in RIVALS:
        raise StimgenError(
            f"`--against`: {options.against!r} is not known", given=options.against, allowed=RIVALS
        )
    _within("--size", effort.size, (SMALLEST_SIZE, LARGEST_SIZE))
    _within("--evaluations", effort.notebook, (1, MOST_EVALUATIONS))
    for name, value in (("--evaluations", options.evaluations), ("--plot", options.plot)):
        if value is not None and options.against != NOTEBOOK:
            raise StimgenError(f"`{name}` is for `--against {NOTEBOOK}` only")
    if options.plot is not None:
        require_plot(options.plot)
    if options.against == PLENOPTIC:
        require_plenoptic(effort.size)


def _within(name: str, value: int, allowed: tuple[int, int]) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise StimgenError(f"`{name}`: {value} is out of range ({allowed[0]} to {allowed[1]})")


def _speed(subject: Subject, effort: _Effort, notebook: Notebook | None, say: Say) -> dict[str, Any]:
    """Time matrix products, the engine's evaluations and the notebook's in turn."""
    say(f"matrix products and evaluations at {effort.size} px, {effort.repeats} times in turn")
    engine = evaluation_task(subject, effort.depth)
    flops = convolution_flops(engine)
    tasks = {**ceiling_tasks(subject.device, quick=effort.depth != DEPTH), "engine float32": engine}
    if notebook is not None:
        tasks["notebook"] = notebook.evaluate
    times = interleaved(tasks, effort.repeats, subject.device)
    best = ceilings(times)
    found: dict[str, Any] = {
        "ceiling": best,
        "evaluation": {"float32": evaluation_summary(flops, times["engine float32"], best["float32"])},
    }
    if notebook is not None:
        rival, ours = times["notebook"], times["engine float32"]
        found["notebook"] = {
            "evaluation": {"seconds": rival.plain(), "to_float32": ratio(rival.minimum, ours.minimum)}
        }
    return found


def _stimuli(subject: Subject, effort: _Effort, options: BenchOptions, say: Say) -> dict[str, Any]:
    """Make whole textures with the usual settings, batches of them, and look at the memory."""
    method = texture_method(effort.texture)
    say(f"one texture with the usual settings, {effort.size} px, colour")
    texture = whole_texture(method, subject)
    sizes = batch_sizes(subject.device.type, quick=options.quick)
    say(f"batches of {', '.join(map(str, sizes))}, a few evaluations of each scale")
    rows = batches(method, subject, sizes, effort.batch_repeats)
    say(f"memory of batches of {', '.join(map(str, effort.stimuli))}")
    return {
        "texture": texture,
        "batches": {"sizes": rows, "together_to_singles": against_singles(rows)},
        "memory": [memory(subject, stimuli, effort.memory) for stimuli in effort.stimuli],
    }


def _reference_loss(subject: Subject, notebook: Notebook, options: BenchOptions, say: Say) -> dict[str, Any]:
    evaluations = _effort(options).notebook
    say(f"the notebook, {evaluations} evaluations: this takes a while")
    rival = notebook.synthesise(1, evaluations)
    lowest = rival.losses[rival.lowest]
    say(f"the engine, until its loss is below {lowest:.4g}")
    notebook_objective(1).load(subject.device)
    ours = reach(Goal(lowest, notebook.measure, evaluations), subject)
    if options.plot is not None:
        plot_losses(options.plot, {"notebook": rival, "stimgen": ours.curve}, lowest)
    return {
        "reference": {
            "evaluations": evaluations,
            "lowest_at": rival.lowest + 1,
            "loss": lowest,
            **asdict(rival),
        },
        "engine": asdict(ours),
        "reached": ours.loss < lowest,
        "to_same_loss": ratio(rival.seconds[rival.lowest], ours.seconds) if ours.loss < lowest else None,
    }


def _busy(found: dict[str, Any]) -> dict[str, float]:
    """Return how much slower than the fastest the notebook's evaluations were on its long way.

    Long runs cannot take turns: far above one, others used the machine, and their ratio of times
    says little.
    """
    reference = found["reference"]
    mean = reference["seconds"][-1] / reference["evaluations"]
    return ratio(mean, found["evaluation"]["seconds"]["minimum"])


def _plenoptic(effort: _Effort, subject: Subject, say: Say) -> dict[str, Any]:
    grey = Subject(subject.size, subject.device, grey=True)
    say(f"plenoptic, {effort.plenoptic} iterations, {effort.size} px, grey")
    rival = metamer(grey, effort.plenoptic)
    say(f"one texture with the usual settings, {effort.size} px, grey")
    ours = whole_texture(texture_method(effort.texture), grey)
    return {"metamer": rival, "texture": ours, "to_texture": ratio(rival["seconds"], ours["seconds"])}
