"""Whether an experiment suits a screen: how fast it is, and how large."""

from __future__ import annotations

from itertools import combinations

from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.paradigms.base import Arrangement, PictureSlot
from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.overlays import fixation_diameter, photodiode_box
from stimgen.experiment.frames.placing import Size, size_on_screen, top_left
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import boxes_overlap, is_inside
from stimgen.reading.errors import StimgenError


def check_durations(loaded: LoadedExperiment, viewing: ViewingGeometry, *, several: bool) -> None:
    """Refuse durations of what is on the screen that are no whole number of refreshes.

    Parameters
    ----------
    loaded : LoadedExperiment
        The experiment.
    viewing : ViewingGeometry
        The screen.
    several : bool
        Whether trials have several intervals, with something between them.

    Raises
    ------
    StimgenError
        There is such a duration, or pictures are not shown at all.
    """
    timing = loaded.experiment.timing
    durations: dict[tuple[str, ...], Duration] = {("timing", "fixation"): timing.fixation}
    durations |= {("timing", "between"): timing.between} if several else {}
    durations |= {("timing", "mask", "duration"): timing.mask.duration} if timing.mask else {}
    named = [*durations.items(), *((("timing", "stimulus"), duration) for duration in timing.stimulus)]
    for path, duration in named:
        with loaded.at(*path):
            try:
                frames = duration.count_frames(viewing.refresh_hz, timing.tolerance_ms)
            except StimgenError as error:
                raise error.add_prefix(".".join(path)) from None
            if frames < 1 and path[-1] == "stimulus":
                raise StimgenError(f"timing.stimulus: {duration} is less than a single frame")


def check_marks(loaded: LoadedExperiment, viewing: ViewingGeometry) -> None:
    """Refuse a fixation mark, or a patch for a photodiode, that is larger than the screen.

    Raises
    ------
    StimgenError
        One of them is.
    """
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
    """Refuse an aperture for which a part of a picture has no room, or that cuts.

    Raises
    ------
    StimgenError
        The aperture is such a one.
    """
    aperture = experiment.display.aperture
    if aperture is not None and aperture.size(*size) != size:
        raise StimgenError(
            f"the step {aperture.name!r} is no aperture: it changes the size of the picture",
            hint="say what part is shown in stimuli.crop",
        )


def check_places(
    experiment: Experiment, viewing: ViewingGeometry, arrangement: Arrangement, crop: Size
) -> None:
    """Refuse pictures that leave the screen, cover each other, or lie under the photodiode's patch.

    Raises
    ------
    StimgenError
        There are some.
    """
    size = size_on_screen(experiment.display, viewing, crop)
    if min(size) < 1:
        raise StimgenError(f"pictures of {crop[0]} x {crop[1]} pixels would have {size[0]} x {size[1]}")
    for interval in arrangement.intervals:
        boxes: list[Box] = [(*top_left(viewing, item.place, size), *size) for item in interval]
        for box, item in zip(boxes, interval, strict=True):
            _check_on_screen(experiment, viewing, box, item)
        for (first, one), (second, other) in combinations(zip(boxes, interval, strict=True), 2):
            if boxes_overlap(first, second):
                raise StimgenError(
                    f"pictures of {size[0]} x {size[1]} pixels at {format_place(one)} "
                    f"and {format_place(other)} would cover "
                    "each other",
                    hint="put them farther apart, or show smaller parts (stimuli.crop)",
                )


def _check_on_screen(experiment: Experiment, viewing: ViewingGeometry, box: Box, item: PictureSlot) -> None:
    width, height = viewing.resolution
    if not is_inside(box, (0, 0, width, height)):
        across, up = viewing.degrees(width / 2, height / 2)
        raise StimgenError(
            f"a picture of {box[2]} x {box[3]} pixels at {format_place(item)} "
            f"does not lie on the screen, which "
            f"reaches {across:.1f} degrees to either side and {up:.1f} up and down"
        )
    photodiode = experiment.display.photodiode
    if photodiode is not None and boxes_overlap(box, photodiode_box(photodiode, viewing.resolution)):
        raise StimgenError(
            f"a picture of {box[2]} x {box[3]} pixels at {format_place(item)} "
            f"would lie under the photodiode's patch",
            hint="put the patch into another corner (display.photodiode.corner), or make it smaller",
        )


def format_place(item: PictureSlot) -> str:
    """Return a place in words."""
    given = {key: value for key, value in item.place.to_dict().items() if value is not None}
    return ", ".join(
        f"{key} {value:g}" if key != "pixels" else f"{key} {value}" for key, value in given.items()
    )
