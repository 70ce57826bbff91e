"""Draws what a model sees of a source and of its synthesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stimgen.drawing.features import draw_features
from stimgen.drawing.figure import make_figure, save_figure
from stimgen.drawing.grams import draw_grams
from stimgen.drawing.layers import LayerMaps
from stimgen.drawing.losses import WHOLE, LossCurves, draw_losses
from stimgen.drawing.movie import MovieFrame, encode_movie
from stimgen.execution.device import find_device
from stimgen.execution.inspection import Inspection, inspect_stimulus
from stimgen.images.write import encode_png, quantise
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.planned_source import add_location
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import make_folder, write_file
from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisStep

OPTION = "`stimgen show`"
FRAMES = 60  # of the movie, about, unless the user chooses another number
Report = Callable[[SynthesisStep], None]


@dataclass(frozen=True)
class ShowOptions:
    """Chooses a stimulus of a protocol, the first that fits, and says how to draw it.

    Attributes
    ----------
    condition, source : str or None
        The ids of a condition and a source.
    seed : int or None
        A seed.
    device : str
        The device to compute on.
    every : int or None
        The number of evaluations between two snapshots; None stands for about 60 snapshots.
    root : Path or None
        A folder that sources may lie in, besides the protocol's own.
    """

    condition: str | None = None
    source: str | None = None
    seed: int | None = None
    device: str = "auto"
    every: int | None = None
    root: Path | None = None


def show_stimulus(
    loaded: LoadedProtocol, choice: ShowOptions, folder: Path | None = None, report: Report | None = None
) -> list[Path]:
    """Make one stimulus and draw what the model sees; return the files, by default in ``show/NAME``.

    `report` is called after every evaluation.

    Raises
    ------
    StimgenError
        matplotlib is not installed; there is no such stimulus; it minimises no objective; the folder cannot
        be written.
    """
    make_figure(OPTION)  # before anything is computed
    device = find_device(choice.device)
    stimulus, method = _choose_stimulus(make_plan(loaded, choice.root), choice)
    height, width, _ = stimulus.source.shape
    every = choice.every or max(1, method.count_evaluations(width, height) // FRAMES)
    place = make_folder(folder or Path("show") / stimulus.name)
    try:
        found = run_generator(inspect_stimulus(stimulus, method, every, device), report)
    except StimgenError as error:
        position = [condition.id for condition in loaded.protocol.conditions].index(stimulus.condition.id)
        raise add_location(error, loaded.where(position, "network")) from None
    title = f"{loaded.protocol.name}: {stimulus.condition.id} of {stimulus.source.id}, seed {stimulus.seed}"
    return _draw_figures(found, method, title, place)


def _choose_stimulus(plan: ProtocolPlan, choice: ShowOptions) -> tuple[PlannedStimulus, ObjectiveMethod]:
    """Return the first stimulus that fits and minimises an objective, and its method."""
    wanted: dict[str, tuple[str | int | None, Callable[[PlannedStimulus], str | int]]] = {
        "condition": (choice.condition, lambda stimulus: stimulus.condition.id),
        "source": (choice.source, lambda stimulus: stimulus.source.id),
        "seed": (choice.seed, lambda stimulus: stimulus.seed),
    }
    left = list(plan.stimuli)
    for key, (value, read) in wanted.items():
        there = dict.fromkeys(map(read, left))
        if value is not None and value not in there:
            which = "" if len(left) == len(plan.stimuli) else " that fits the other options"
            raise StimgenError(
                f"{OPTION}: there is no stimulus of {key} {value!r}{which}",
                given=None if key == "seed" else str(value),
                allowed=[str(name) for name in there],
            )
        left = [stimulus for stimulus in left if value is None or read(stimulus) == value]
    for stimulus in left:
        if isinstance(stimulus.condition.method, ObjectiveMethod):
            return stimulus, stimulus.condition.method
    raise StimgenError(
        f"{OPTION}: condition {left[0].condition.id!r} minimises no objective: it has no layers to show",
        allowed=[c.id for c in plan.conditions if isinstance(c.method, ObjectiveMethod)],
    )


def _draw_figures(found: Inspection, method: ObjectiveMethod, title: str, folder: Path) -> list[Path]:
    pictures = found.source, found.synthesis
    still = folder / "synthesis.png"
    write_file(still, encode_png(quantise(found.synthesis)))
    figures = {
        folder / f"features_{i:02}_{_file_name(maps)}.png": draw_features(maps, pictures, title, OPTION)
        for i, maps in enumerate(found.maps, start=1)
    }
    figures[folder / "grams.png"] = draw_grams(found.maps, title, OPTION)
    figures[folder / "losses.png"] = draw_losses(_loss_curves(found, method), title, OPTION)
    for file, figure in figures.items():
        save_figure(figure, file, OPTION)
    movies = encode_movie(found.source, list(_movie_frames(found)), title)
    for ending, data in movies.items():
        write_file(folder / f"movie.{ending}", data)
    return [still, *figures, *(folder / f"movie.{ending}" for ending in movies)]


def _file_name(maps: LayerMaps) -> str:
    return re.sub(r"[^\w.-]", "-", f"{maps.network}_{maps.layer}")  # a network may be anybody's


def _loss_curves(found: Inspection, method: ObjectiveMethod) -> LossCurves:
    trace = found.result.traces[0]
    count: dict[tuple[int, int], int] = {
        (line.scale, line.evaluation): i for i, line in enumerate(trace, start=1)
    }
    height, width, _ = found.source.shape
    scales = [
        (count[scale, 1], f"{w} x {h} px")
        for scale, (w, h, _) in enumerate(method.schedule(width, height))
        if (scale, 1) in count
    ]
    whole = [line.losses.total for line in trace]
    parts = {name: [line.losses.parts[name] for line in trace] for name in trace[0].losses.parts}
    # A part that is always zero, or equals the total, shows nothing.
    shown = {name: values for name, values in parts.items() if any(values) and values != whole}
    return LossCurves(
        parts={WHOLE: whole, **shown},
        layers=found.losses,
        snapshots=[count[s.scale, s.evaluation] for s in found.result.snapshots_of(0)],
        scales=scales,
    )


def _movie_frames(found: Inspection) -> Iterable[MovieFrame]:
    for snapshot in found.result.snapshots_of(0):
        height, width = snapshot.levels.shape[:2]
        yield MovieFrame(snapshot.levels, f"{width} x {height} px, evaluation {snapshot.evaluation}")
    yield MovieFrame(quantise(found.synthesis), "synthesis")
