"""What a model sees of a source and of its synthesis, drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stimgen.drawing.features import feature_figure
from stimgen.drawing.figure import make_figure, save_figure
from stimgen.drawing.grams import gram_figure
from stimgen.drawing.layers import LayerMaps
from stimgen.drawing.losses import WHOLE, LossCurves, loss_figure
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
FRAMES = 60  # of the movie, about, where the user does not say
Report = Callable[[SynthesisStep], None]


@dataclass(frozen=True)
class ShowOptions:
    """Which stimulus of a protocol to look into: the first that is not ruled out.

    Attributes
    ----------
    condition, source : str or None
        Their ids.
    seed : int or None
        A seed.
    device : str
        Where to compute.
    every : int or None
        Evaluations from one snapshot to the next; None: so many that there are about 60.
    root : Path or None
        A folder that sources may lie in, beside the protocol's own.
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
    """Make one stimulus and draw what the model sees; return the files.

    Parameters
    ----------
    loaded : LoadedProtocol
        The protocol.
    choice : ShowOptions
        Which of its stimuli.
    folder : Path, optional
        Where the files go; ``show/NAME`` of the stimulus where it is left out.
    report : callable, optional
        Called after every evaluation.

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
        raise add_location(error, loaded.where(_condition_index(loaded, stimulus), "network")) from None
    title = f"{loaded.protocol.name}: {stimulus.condition.id} of {stimulus.source.id}, seed {stimulus.seed}"
    return _draw_figures(found, method, title, place)


def _choose_stimulus(plan: ProtocolPlan, choice: ShowOptions) -> tuple[PlannedStimulus, ObjectiveMethod]:
    """Return the first stimulus that is wanted and minimises an objective, and its method."""
    wanted = {"condition": choice.condition, "source": choice.source, "seed": choice.seed}
    left = list(plan.stimuli)
    for key, value in wanted.items():
        there = list(dict.fromkeys(_read_choice(stimulus, key) for stimulus in left))
        if value is not None and value not in there:
            which = "" if len(left) == len(plan.stimuli) else " with what else was asked for"
            raise StimgenError(
                f"{OPTION}: there is no stimulus of {key} {value!r}{which}",
                given=None if key == "seed" else str(value),
                allowed=[str(name) for name in there],
            )
        left = [stimulus for stimulus in left if value is None or _read_choice(stimulus, key) == value]
    for stimulus in left:
        if isinstance(stimulus.condition.method, ObjectiveMethod):
            return stimulus, stimulus.condition.method
    raise StimgenError(
        f"{OPTION}: condition {left[0].condition.id!r} minimises no objective: it has no layers to show",
        allowed=_conditions_with_objective(plan),
    )


def _conditions_with_objective(plan: ProtocolPlan) -> list[str]:
    return [c.id for c in plan.conditions if isinstance(c.method, ObjectiveMethod)]


def _read_choice(stimulus: PlannedStimulus, key: str) -> str | int:
    values: dict[str, str | int] = {
        "condition": stimulus.condition.id,
        "source": stimulus.source.id,
        "seed": stimulus.seed,
    }
    return values[key]


def _condition_index(loaded: LoadedProtocol, stimulus: PlannedStimulus) -> int:
    return [condition.id for condition in loaded.protocol.conditions].index(stimulus.condition.id)


def _draw_figures(found: Inspection, method: ObjectiveMethod, title: str, folder: Path) -> list[Path]:
    pictures = found.source, found.synthesis
    still = folder / "synthesis.png"
    write_file(still, encode_png(quantise(found.synthesis)))
    figures = {
        folder / f"features_{i:02}_{_file_name(maps)}.png": feature_figure(maps, pictures, title, OPTION)
        for i, maps in enumerate(found.maps, start=1)
    }
    figures[folder / "grams.png"] = gram_figure(found.maps, title, OPTION)
    figures[folder / "losses.png"] = loss_figure(_loss_curves(found, method), title, OPTION)
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
    # Nothing is to be seen of a part that is never there, or is all there is.
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
