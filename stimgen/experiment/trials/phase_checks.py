"""Checks that cues and masks suit the pictures and the screen, before the first trial."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from stimgen.experiment.design.paradigms.base import Arrangement, PictureSlot
from stimgen.experiment.design.trial import CueMark
from stimgen.experiment.frames.cue_marks import cue_box
from stimgen.experiment.frames.placing import Size, position_on_screen, size_on_screen
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.masks import MASK_SIDES, TextureMask
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import is_inside
from stimgen.experiment.trials.cue_builder import CueBuilder, Point
from stimgen.experiment.trials.exemplars import list_syntheses
from stimgen.experiment.trials.mask_builder import list_other_sources
from stimgen.experiment.trials.screen_checks import format_place
from stimgen.reading.errors import StimgenError


def check_masks(loaded: LoadedExperiment, pool: PicturePool, arrangements: Iterable[Arrangement]) -> None:
    """Raise a `StimgenError` if there is no texture that could mask a picture."""
    experiment = loaded.experiment
    used = max(_count_syntheses(experiment, arrangement) for arrangement in arrangements)
    for side in MASK_SIDES:
        mask = experiment.timing.find_mask(side)
        if isinstance(mask, TextureMask):
            with loaded.at("timing", "mask"):
                _check_textures(mask, pool, used)


def _count_syntheses(experiment: Experiment, arrangement: Arrangement) -> int:
    slots = [slot for interval in arrangement.intervals for slot in interval]
    return len(list_syntheses(experiment.stimuli, slots))


def _check_textures(mask: TextureMask, pool: PicturePool, used: int) -> None:
    sources = pool.all_sources
    if mask.source == "other":
        if not all(list_other_sources(pool, source) for source in sources):
            raise StimgenError(
                "timing.mask: there is no other source to mask a picture with",
                hint="write source: same, or name more sources",
            )
        return
    needed = used + 1 if mask.condition in pool.all_conditions else 1
    for part, source in product(pool.list_sets(), sources):
        seeds = part.seeds(source, mask.condition)
        if len(seeds) < needed:
            raise StimgenError(
                f"timing.mask: a trial shows {used} of the {len(seeds)} stimuli of source {source!r} in "
                f"condition {mask.condition!r}, so that none is left to mask them",
                hint="name another condition, write source: other, or make more seeds",
            )


def check_cues(
    loaded: LoadedExperiment, viewing: ViewingGeometry, arrangements: Iterable[Arrangement], crop: Size
) -> None:
    """Raise a `StimgenError` for cues off the screen, or to a place whose opposite place has a picture."""
    experiment, cue = loaded.experiment, loaded.experiment.timing.cue
    if cue is None:
        return
    size = size_on_screen(experiment.display, viewing, crop)
    cues = CueBuilder.from_experiment(cue, experiment, viewing, size)
    with loaded.at("timing", "cue"):
        for arrangement in arrangements:
            for interval in arrangement.intervals if cue.interval == "every" else arrangement.intervals[:1]:
                places = {position_on_screen(viewing, slot.place, size): slot for slot in interval}
                _check_other_places(cues, places, size)
                for validity in dict.fromkeys(cue.deal):
                    _check_on_screen(cues.build(validity, places), viewing)


def _check_other_places(cues: CueBuilder, places: dict[Point, PictureSlot], size: Size) -> None:
    """Refuse a cue to another place where a picture is, or a line to fixation itself."""
    for place, slot in places.items():
        if cues.cue.mark == "line" and (0.0, 0.0) in (place, *cues.possible):
            raise StimgenError(
                "timing.cue: a line cannot point to a picture at fixation", hint="write mark: ring"
            )
        for validity in dict.fromkeys(cues.cue.deal):
            if validity != "valid" and any(_overlap(cues.find_other(place), other, size) for other in places):
                raise StimgenError(
                    f"timing.cue.validity: a cue cannot be {validity}, because the place across fixation "
                    f"from {format_place(slot)} has a picture, too",
                    hint="write validity: valid, or show one picture, away from fixation",
                )


def _overlap(first: Point, second: Point, size: Size) -> bool:
    return all(abs(a - b) < side for a, b, side in zip(first, second, size, strict=True))


def _check_on_screen(marks: Iterable[CueMark], viewing: ViewingGeometry) -> None:
    for mark in marks:
        if not is_inside(cue_box(mark, viewing.resolution), (0, 0, *viewing.resolution)):
            raise StimgenError(
                "timing.cue: a mark of the cue is not on the screen",
                hint="write a smaller timing.cue.degrees",
            )
