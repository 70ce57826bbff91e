"""Whether an experiment can be shown on a screen, found out before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from stimgen.experiment.choice import Choice
from stimgen.experiment.compose import corner, size_on_screen, synthesis_kinds
from stimgen.experiment.crops import overlap, room_for
from stimgen.experiment.design import balanced_of, factors_of
from stimgen.experiment.load import LoadedExperiment
from stimgen.experiment.paradigms.base import Arrangement, Item
from stimgen.experiment.pool import Pool
from stimgen.experiment.schema import Experiment
from stimgen.experiment.trial import ORIGINAL, Box
from stimgen.experiment.viewing import Viewing
from stimgen.reading.errors import StimgenError


def check(loaded: LoadedExperiment, pool: Pool, viewing: Viewing) -> None:
    """Refuse what cannot be shown.

    Raises
    ------
    StimgenError
        Durations do not fit the refresh rate; pictures do not fit the screen, cover each other, are of
        several sizes, or are encoded otherwise than the screen; there are too few seeds, or no room for the
        crops of a trial.
    """
    where = loaded.document.where
    try:
        _check_durations(loaded.experiment, viewing)
    except StimgenError as error:
        raise error.located(where(("timing",))) from None
    try:
        loaded.experiment.paradigm.check_sources((*pool.sources, *pool.practice_sources))
    except StimgenError as error:
        raise error.located(where(("paradigm",))) from None
    try:
        _check_encodings(loaded.experiment, pool)
        size = _check_sizes(loaded.experiment, pool)
        for arrangement in arrangements(loaded.experiment, pool):
            _check_trial(loaded.experiment, pool, arrangement, size)
    except StimgenError as error:
        raise error.located(where(("stimuli",))) from None
    try:
        for arrangement in arrangements(loaded.experiment, pool):
            _check_screen(loaded.experiment, viewing, arrangement, size)
    except StimgenError as error:
        raise error.located(where(("paradigm",))) from None


def arrangements(experiment: Experiment, pool: Pool) -> Iterator[Arrangement]:
    """Yield every arrangement that trials can have."""
    factors = [
        factor for factor in factors_of(experiment, pool) if factor.name not in ("condition", "duration")
    ]
    balanced = balanced_of(experiment)
    for values in product(*(factor.values for factor in (*factors, *balanced))):
        given = dict(zip((factor.name for factor in (*factors, *balanced)), values, strict=True))
        levels = {factor.name: given[factor.name] for factor in factors}
        choice = Choice(1, levels, pool.sources[0], {f.name: given[f.name] for f in balanced})
        for meeting in experiment.stimuli.meet:
            if levels.get("meet", meeting) == meeting:
                yield experiment.paradigm.arrange(choice, meeting)


def _check_durations(experiment: Experiment, viewing: Viewing) -> None:
    timing, response = experiment.timing, experiment.responses
    durations = [timing.fixation, *timing.stimulus, timing.between, timing.between_trials]
    durations += [experiment.feedback.duration]
    durations += [timing.mask.duration] if timing.mask else []
    durations += [response.window] if response.window else []
    for duration in durations:
        duration.frames(viewing.refresh_hz, timing.tolerance_ms)
    for duration in timing.stimulus:
        if duration.frames(viewing.refresh_hz, timing.tolerance_ms) < 1:
            raise StimgenError(f"a stimulus of {duration} is not shown in a single frame")


def _check_encodings(experiment: Experiment, pool: Pool) -> None:
    display = experiment.display
    other = [picture for picture in pool.pictures() if picture.encoding != display.encoding]
    if other and display.mismatch == "refuse":
        screen = "linearised" if display.encoding == "linear" else "sRGB"
        raise StimgenError(
            f"the pictures of {pool.sets[other[0].set].name!r} are encoded as {other[0].encoding}, but the "
            f"screen is {screen}: they would look wrong",
            hint="say display.mismatch: convert, to have them converted, or make the set for this screen",
        )


def _check_sizes(experiment: Experiment, pool: Pool) -> tuple[int, int]:
    """Return the size of what is shown of a picture, on the picture."""
    crop = experiment.stimuli.crop
    sizes = {(picture.width, picture.height): picture for picture in pool.pictures()}
    if len(sizes) > 1:
        named = ", ".join(f"{w} x {h} ({picture.file})" for (w, h), picture in sorted(sizes.items())[:3])
        raise StimgenError(f"the pictures are of several sizes: {named}")
    ((width, height),) = sizes
    if crop is None:
        return width, height
    left, top = (0, 0) if isinstance(crop.place, str) else crop.place
    if left + crop.width > width or top + crop.height > height or min(left, top) < 0:
        raise StimgenError(
            f"a crop of {crop.width} x {crop.height} pixels"
            f"{'' if isinstance(crop.place, str) else f' at {left}, {top}'} does not fit into pictures of "
            f"{width} x {height}"
        )
    return crop.width, crop.height


def _check_trial(experiment: Experiment, pool: Pool, arrangement: Arrangement, size: tuple[int, int]) -> None:
    """Refuse a trial for which there are too few seeds, or no room for its crops."""
    items = [item for interval in arrangement.intervals for item in interval]
    _check_seeds(experiment, pool, items)
    settings = experiment.stimuli
    parts = {(item.role, item.copy) for item in items} if settings.again != "same" else set()
    again = {role for role, copy in parts if copy > 0}
    cropped = settings.crop is not None and settings.crop.place == "random"
    for role in sorted(again):
        if not cropped and (settings.again == "crop" or role == ORIGINAL):
            raise StimgenError(
                f"a trial shows the {role.replace('_', ' ')} more than once, and there is only one",
                hint="take random crops (stimuli.crop), another seed (stimuli.again: seed) for syntheses, or "
                "the very same picture (stimuli.again: same)",
            )
    if cropped and settings.crop is not None and settings.crop.overlap != "allow":
        together = parts if settings.crop.overlap == "never" else _most_of_one(experiment, items)
        _check_room(pool, size, max(1, len(together)))


def _most_of_one(experiment: Experiment, items: Sequence[Item]) -> set[tuple[str, int]]:
    """Return the parts of the picture of which a trial shows most."""
    by: dict[str, set[tuple[str, int]]] = {}
    for item in items:
        several = experiment.stimuli.again == "seed" and item.role != ORIGINAL
        by.setdefault(f"{item.role} {item.copy if several else 0}", set()).add((item.role, item.copy))
    return max(by.values(), key=len)


def _check_seeds(experiment: Experiment, pool: Pool, items: Sequence[Item]) -> None:
    needed = len(synthesis_kinds(experiment, items))
    for source, condition in product((*pool.sources, *pool.practice_sources), pool.conditions):
        seeds = pool.seeds(source, condition)
        if len(seeds) < needed:
            raise StimgenError(
                f"a trial needs syntheses of {needed} seeds, but of source {source!r} in condition "
                f"{condition!r} there are: {', '.join(map(str, seeds))}"
            )


def _check_room(pool: Pool, size: tuple[int, int], count: int) -> None:
    picture = next(pool.pictures())
    area = (picture.width, picture.height)
    if not room_for(size, count, area):
        fits = max(
            side for side in range(0, min(area) + 1) if side == 0 or room_for((side, side), count, area)
        )
        raise StimgenError(
            f"{count} crops of {size[0]} x {size[1]} pixels that share no place do not fit into pictures of "
            f"{area[0]} x {area[1]}",
            hint=f"the largest square crops that fit have {fits} pixels; or say stimuli.crop.overlap: "
            "between_pictures or allow",
        )


def _check_screen(
    experiment: Experiment, viewing: Viewing, arrangement: Arrangement, crop: tuple[int, int]
) -> None:
    """Refuse pictures that leave the screen or cover each other."""
    size = size_on_screen(experiment, viewing, crop)
    for interval in arrangement.intervals:
        boxes: list[Box] = [(*corner(viewing, item.place, size), *size) for item in interval]
        for box, item in zip(boxes, interval, strict=True):
            _check_on_screen(viewing, box, item)
        for (first, one), (second, other) in combinations(zip(boxes, interval, strict=True), 2):
            if overlap(first, second):
                raise StimgenError(
                    f"pictures of {size[0]} x {size[1]} pixels at {said(one)} and {said(other)} would cover "
                    "each other",
                    hint="put them farther apart, or show smaller parts (stimuli.crop)",
                )


def _check_on_screen(viewing: Viewing, box: Box, item: Item) -> None:
    width, height = viewing.resolution
    if box[0] < 0 or box[1] < 0 or box[0] + box[2] > width or box[1] + box[3] > height:
        across, up = viewing.degrees(width / 2, height / 2)
        raise StimgenError(
            f"a picture of {box[2]} x {box[3]} pixels at {said(item)} does not lie on the screen, which "
            f"reaches {across:.1f} degrees to either side and {up:.1f} up and down"
        )


def said(item: Item) -> str:
    """Return a place in words."""
    given = {key: value for key, value in item.place.plain().items() if value is not None}
    return ", ".join(f"{key} {value}" for key, value in given.items())
