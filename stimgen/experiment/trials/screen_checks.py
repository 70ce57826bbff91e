"""Checks that an experiment suits the size of a screen."""

from __future__ import annotations

from itertools import combinations

from stimgen.experiment.design.paradigms.base import Arrangement, PictureSlot
from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.overlays import fixation_diameter, photodiode_box
from stimgen.experiment.frames.placing import Size, size_on_screen, top_left
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import boxes_overlap, is_inside
from stimgen.reading.errors import StimgenError


def check_marks(loaded: LoadedExperiment, viewing: ViewingGeometry) -> None:
    """Raise a `StimgenError` if the fixation mark or the photodiode's patch is larger than the screen."""
    display, smallest = loaded.experiment.display, min(viewing.resolution)
    with loaded.at("display", "fixation"):
        wide = viewing.pixels_wide(display.fixation.degrees)
        if fixation_diameter(display.fixation, wide, viewing.resolution) > smallest:
            raise StimgenError(
                f"a fixation mark of {display.fixation.degrees:g} degrees is larger than the screen"
            )
    with loaded.at("display", "photodiode"):
        if display.photodiode is not None and display.photodiode.pixels > smallest:
            raise StimgenError("the photodiode's patch is larger than the screen")


def check_aperture(experiment: Experiment, size: Size) -> None:
    """Raise a `StimgenError` if the aperture crops the picture, or is larger than it."""
    aperture = experiment.display.aperture
    if aperture is not None and aperture.size(*size) != size:
        raise StimgenError(
            f"the step {aperture.name!r} is not an aperture: it changes the size of the picture",
            hint="to show a part of the picture, use stimuli.crop",
        )


def check_places(
    experiment: Experiment, viewing: ViewingGeometry, arrangement: Arrangement, crop: Size
) -> None:
    """Raise a `StimgenError` for pictures off the screen, over each other, or over the photodiode's patch."""
    size = size_on_screen(experiment.display, viewing, crop)
    if min(size) < 1:
        raise StimgenError(
            f"pictures of {crop[0]} x {crop[1]} pixels would have {size[0]} x {size[1]} pixels on the screen"
        )
    for interval in arrangement.intervals:
        boxes: list[Box] = [(*top_left(viewing, slot.place, size), *size) for slot in interval]
        for box, slot in zip(boxes, interval, strict=True):
            _check_on_screen(experiment, viewing, box, slot)
        for (first, one), (second, other) in combinations(zip(boxes, interval, strict=True), 2):
            if boxes_overlap(first, second):
                raise StimgenError(
                    f"pictures of {size[0]} x {size[1]} pixels at {format_place(one)} and "
                    f"{format_place(other)} would cover each other",
                    hint="move them farther apart, or show smaller parts (stimuli.crop)",
                )


def _check_on_screen(experiment: Experiment, viewing: ViewingGeometry, box: Box, slot: PictureSlot) -> None:
    width, height = viewing.resolution
    picture = f"a picture of {box[2]} x {box[3]} pixels at {format_place(slot)}"
    if not is_inside(box, (0, 0, width, height)):
        across, up = viewing.degrees(width / 2, height / 2)
        raise StimgenError(
            f"{picture} is not on the screen, which extends {across:.1f} degrees to the left and right and "
            f"{up:.1f} degrees up and down"
        )
    photodiode = experiment.display.photodiode
    if photodiode is not None and boxes_overlap(box, photodiode_box(photodiode, viewing.resolution)):
        raise StimgenError(
            f"{picture} would be under the photodiode's patch",
            hint="move the patch to another corner (display.photodiode.corner), or make it smaller",
        )


def format_place(slot: PictureSlot) -> str:
    """Return a place in words, such as ``angle 90, eccentricity 4``."""
    given = {key: value for key, value in slot.place.to_dict().items() if value is not None}
    return ", ".join(
        f"{key} {value:g}" if key != "pixels" else f"{key} {value}" for key, value in given.items()
    )
