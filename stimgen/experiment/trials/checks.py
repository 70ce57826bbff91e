"""Whether pictures suit an experiment and its screen, found out before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from stimgen.experiment.design.decisions import TrialDecision
from stimgen.experiment.design.paradigms.base import Arrangement, PictureSlot
from stimgen.experiment.design.trial import ORIGINAL
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import identify_part, is_inside, parts_fit
from stimgen.experiment.trials.design import list_balanced_factors, list_factors
from stimgen.experiment.trials.exemplars import identify_picture, list_syntheses
from stimgen.experiment.trials.screen_checks import check_aperture, check_durations, check_marks, check_places
from stimgen.reading.errors import StimgenError

Size = tuple[int, int]


def check_experiment(loaded: LoadedExperiment, pool: PicturePool, viewing: ViewingGeometry) -> None:
    """Refuse what cannot be shown.

    Raises
    ------
    StimgenError
        Durations do not fit the refresh rate; pictures do not fit the screen, cover each other, are of
        several sizes, or are encoded otherwise than the screen; there are too few seeds, or no room for the
        crops of a trial; words are given for what is no answer.
    """
    experiment = loaded.experiment
    _check_words(loaded)
    with loaded.at("paradigm"):
        experiment.paradigm.check_sources((*pool.sources, *pool.practice_sources))
    with loaded.at("display", "transfer"):
        _check_encodings(experiment, pool)
    with loaded.at("stimuli", "crop"):
        size = find_shown_size(experiment, pool)
    with loaded.at("display", "aperture"):
        check_aperture(experiment, size)
    every = list(list_arrangements(experiment, pool))
    with loaded.at("stimuli"):
        for arrangement in every:
            _check_trial(experiment, pool, arrangement, size)
    check_durations(loaded, viewing, several=any(len(one.intervals) > 1 for one in every))
    check_marks(loaded, viewing)
    with loaded.at("paradigm"):
        for arrangement in every:
            check_places(experiment, viewing, arrangement, size)


def list_arrangements(experiment: Experiment, pool: PicturePool) -> Iterator[Arrangement]:
    """Yield every arrangement that trials can have."""
    factors = [
        factor for factor in list_factors(experiment, pool) if factor.name not in ("condition", "duration")
    ]
    balanced = list_balanced_factors(experiment)
    for values in product(*(factor.values for factor in (*factors, *balanced))):
        given = dict(zip((factor.name for factor in (*factors, *balanced)), values, strict=True))
        levels = {factor.name: given[factor.name] for factor in factors}
        choice = TrialDecision(1, levels, pool.sources[0], {f.name: given[f.name] for f in balanced})
        for meeting in experiment.stimuli.meet:
            if levels.get("meet", meeting) == meeting:
                yield experiment.paradigm.arrange(choice, meeting)


def _check_words(loaded: LoadedExperiment) -> None:
    """Refuse words, in any language, for what is no answer."""
    answers = loaded.experiment.paradigm.answers()
    for language, texts in loaded.experiment.instructions.items():
        for answer in texts.answers:
            if answer not in answers:
                raise StimgenError(
                    f"instructions.{language}.answers: {answer!r} is no answer",
                    where=loaded.document.where(("instructions", language, "answers", answer)),
                    given=answer,
                    allowed=answers,
                )


def _check_encodings(experiment: Experiment, pool: PicturePool) -> None:
    display = experiment.display
    other = [picture for picture in pool.pictures() if picture.encoding != display.encoding]
    if other and display.mismatch == "refuse":
        screen = "linearised" if display.encoding == "linear" else "sRGB"
        raise StimgenError(
            f"the pictures of {pool.sets[other[0].set].name!r} are encoded as {other[0].encoding}, but the "
            f"screen is {screen}: they would look wrong",
            hint="say display.mismatch: convert, to have them converted, or make the set for this screen",
        )


def find_shown_size(experiment: Experiment, pool: PicturePool) -> Size:
    """Return the size of what is shown of a picture, on the picture.

    Raises
    ------
    StimgenError
        There are several, or a crop is larger.
    """
    crop = experiment.stimuli.crop
    sizes = {(picture.width, picture.height): picture for picture in pool.pictures()}
    if len(sizes) > 1:
        named = ", ".join(f"{w} x {h} ({picture.file})" for (w, h), picture in sorted(sizes.items())[:3])
        raise StimgenError(f"the pictures are of several sizes: {named}")
    ((width, height),) = sizes
    if crop is None:
        return width, height
    left, top = (0, 0) if isinstance(crop.place, str) else crop.place
    if not is_inside((left, top, crop.width, crop.height), (0, 0, width, height)):
        raise StimgenError(
            f"a crop of {crop.width} x {crop.height} pixels"
            f"{'' if isinstance(crop.place, str) else f' at {left}, {top}'} does not fit into pictures of "
            f"{width} x {height}"
        )
    return crop.width, crop.height


def _check_trial(experiment: Experiment, pool: PicturePool, arrangement: Arrangement, size: Size) -> None:
    """Refuse a trial for which there are too few seeds, or no room for its crops."""
    items = [item for interval in arrangement.intervals for item in interval]
    _check_seeds(experiment, pool, items)
    settings = experiment.stimuli
    parts = {identify_part(settings, item) for item in items}
    cropped = settings.crop is not None and settings.crop.place == "random"
    for role in sorted({role for role, copy in parts if copy > 0}):
        if not cropped and (settings.again == "crop" or role == ORIGINAL):
            raise StimgenError(
                f"a trial shows the {role.replace('_', ' ')} more than once, and there is only one",
                hint="take random crops (stimuli.crop), another seed (stimuli.again: seed) for syntheses, or "
                "the very same picture (stimuli.again: same)",
            )
    if cropped and settings.crop is not None and settings.crop.overlap != "allow":
        together = len(parts) if settings.crop.overlap == "never" else _count_most_shown(experiment, items)
        _check_room(pool, size, together)


def _count_most_shown(experiment: Experiment, items: Sequence[PictureSlot]) -> int:
    """Return how many parts a trial shows of the picture of which it shows most."""
    by: dict[object, set[object]] = {}
    for item in items:
        picture = ORIGINAL if item.role == ORIGINAL else identify_picture(experiment.stimuli, item)
        by.setdefault(picture, set()).add(identify_part(experiment.stimuli, item))
    return max(map(len, by.values()))


def _check_seeds(experiment: Experiment, pool: PicturePool, items: Sequence[PictureSlot]) -> None:
    needed = len(list_syntheses(experiment.stimuli, items))
    for source, condition in product((*pool.sources, *pool.practice_sources), pool.conditions):
        seeds = pool.seeds(source, condition)
        if len(seeds) < needed:
            raise StimgenError(
                f"a trial needs syntheses of {needed} seeds, but of source {source!r} in condition "
                f"{condition!r} there are: {', '.join(map(str, seeds))}"
            )


def _check_room(pool: PicturePool, size: Size, count: int) -> None:
    picture = next(pool.pictures())
    area = (picture.width, picture.height)
    if parts_fit(size, count, area):
        return
    fits = max((side for side in range(1, min(area) + 1) if parts_fit((side, side), count, area)), default=0)
    smaller = f"the largest square crops that fit have {fits} pixels; or " if fits else ""
    raise StimgenError(
        f"{count} crops of {size[0]} x {size[1]} pixels that share no place do not fit into pictures of "
        f"{area[0]} x {area[1]}",
        hint=f"{smaller}say stimuli.crop.overlap: between_pictures or allow",
    )
