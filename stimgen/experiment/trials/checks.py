"""Checks, before the first trial, that pictures suit an experiment and its screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

from stimgen.experiment.design.decisions import Factor, TrialDecision, combine_factors
from stimgen.experiment.design.paradigms.base import Arrangement, PictureSlot
from stimgen.experiment.design.trial import ORIGINAL
from stimgen.experiment.frames.page_pictures import check_page_pictures
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.pictures.remedies import suggest_seeds
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import identify_part, is_inside, parts_fit
from stimgen.experiment.trials.design import list_balanced_factors, list_factors, make_shared_key
from stimgen.experiment.trials.duration_checks import check_durations
from stimgen.experiment.trials.exemplars import identify_picture, list_syntheses
from stimgen.experiment.trials.phase_checks import check_cues, check_masks
from stimgen.experiment.trials.screen_checks import check_aperture, check_marks, check_places
from stimgen.experiment.trials.texts import check_texts
from stimgen.reading.errors import StimgenError

Size = tuple[int, int]
WITHOUT_PLACES = ("condition", "duration", "soa", "cue", "set")
"""Factors that do not change what is shown where."""


def check_experiment(loaded: LoadedExperiment, pool: PicturePool, viewing: ViewingGeometry) -> None:
    """Raise a `StimgenError` if the experiment cannot be shown.

    Durations must fit the refresh rate. Pictures must fit the screen, must not cover each other, and must
    have one size and the screen's encoding. There must be enough seeds, and room for the crops of a trial.
    Words may be given for answers only.
    """
    experiment = loaded.experiment
    _check_words(loaded)
    check_texts(loaded)
    check_page_pictures(loaded)
    with loaded.at("paradigm"):
        experiment.paradigm.check_sources(pool.all_sources)
    with loaded.at("display", "transfer"):
        _check_encodings(experiment, pool)
    with loaded.at("stimuli", "crop"):
        size = find_shown_size(experiment, pool)
    with loaded.at("display", "aperture"):
        check_aperture(experiment, size)
    with loaded.at("paradigm"):
        arrangements = list(list_arrangements(experiment, pool))
    with loaded.at("stimuli"):
        for arrangement in arrangements:
            _check_trial(experiment, pool, arrangement, size)
    _check_catch(loaded)
    check_durations(loaded, viewing, several=any(len(one.intervals) > 1 for one in arrangements))
    check_marks(loaded, viewing)
    check_masks(loaded, pool, arrangements)
    check_cues(loaded, viewing, arrangements, size)
    with loaded.at("paradigm"):
        for arrangement in arrangements:
            check_places(experiment, viewing, arrangement, size)


def list_arrangements(experiment: Experiment, pool: PicturePool) -> Iterator[Arrangement]:
    """Yield every arrangement that trials can have, of whichever conditions and sources."""
    factors = [factor for factor in list_factors(experiment, pool) if factor.name not in WITHOUT_PLACES]
    key = make_shared_key(experiment)
    pictures = {factor.name for factor in experiment.paradigm.picture_factors(pool.conditions, key)}
    factors = [Factor(one.name, one.values[:1]) if one.name in pictures else one for one in factors]
    source = experiment.paradigm.list_sources(pool.sources, key)[0]
    for levels, balanced in product(
        combine_factors(factors), combine_factors(list_balanced_factors(experiment))
    ):
        decision = TrialDecision(1, levels, source, balanced)
        for pairing in experiment.stimuli.meet:
            if levels.get("meet", pairing) == pairing:
                yield experiment.paradigm.arrange(decision, pairing)


def _check_catch(loaded: LoadedExperiment) -> None:
    """Refuse catch trials of a paradigm in which no answer is correct."""
    paradigm = loaded.experiment.paradigm
    if loaded.experiment.catch and not paradigm.has_correct_answer:
        raise StimgenError(
            f"catch trials need a correct answer, and the paradigm {paradigm.name!r} has none",
            where=loaded.document.where(("catch",)),
        )


def _check_words(loaded: LoadedExperiment) -> None:
    answers = loaded.experiment.paradigm.answers()
    for language, texts in loaded.experiment.instructions.items():
        for answer in texts.answers:
            if answer not in answers:
                raise StimgenError(
                    f"instructions.{language}.answers: {answer!r} is not an answer of the paradigm",
                    where=loaded.document.where(("instructions", language, "answers", answer)),
                    given=answer,
                    allowed=answers,
                )


def _check_encodings(experiment: Experiment, pool: PicturePool) -> None:
    display = experiment.display
    other = next((picture for picture in pool.pictures() if picture.encoding != display.encoding), None)
    if other is not None and display.mismatch == "refuse":
        screen = "linearised" if display.encoding == "linear" else "sRGB"
        raise StimgenError(
            f"the pictures of {pool.sets[other.set].name!r} are encoded as {other.encoding}, but the screen "
            f"is {screen}: their luminance would be wrong",
            hint="write display.mismatch: convert to convert them, or generate the set for this screen",
        )


def find_shown_size(experiment: Experiment, pool: PicturePool) -> Size:
    """Return the size of the shown part, in pixels of the picture.

    Pictures of several sizes, and a crop that does not fit, raise a `StimgenError`.
    """
    crop = experiment.stimuli.crop
    sizes = {(picture.width, picture.height): picture for picture in pool.pictures()}
    if len(sizes) > 1:
        examples = ", ".join(f"{w} x {h} ({picture.file})" for (w, h), picture in sorted(sizes.items())[:3])
        raise StimgenError(f"all pictures must have the same size, but there are: {examples}")
    ((width, height),) = sizes
    if crop is None:
        return width, height
    left, top = (0, 0) if isinstance(crop.place, str) else crop.place
    if not is_inside((left, top, crop.width, crop.height), (0, 0, width, height)):
        place = "" if isinstance(crop.place, str) else f" at {left}, {top}"
        raise StimgenError(
            f"a crop of {crop.width} x {crop.height} pixels{place} does not fit into pictures of "
            f"{width} x {height}"
        )
    return crop.width, crop.height


def _check_trial(experiment: Experiment, pool: PicturePool, arrangement: Arrangement, size: Size) -> None:
    """Refuse a trial with too few seeds, or without room for its crops."""
    slots = [slot for interval in arrangement.intervals for slot in interval]
    _check_seeds(experiment, pool, slots)
    settings = experiment.stimuli
    parts = {identify_part(settings, slot) for slot in slots}
    cropped = settings.crop is not None and settings.crop.place == "random"
    for role in sorted({role for role, copy, *_ in parts if copy > 0}):
        if not cropped and (settings.again == "crop" or role == ORIGINAL):
            once = experiment.paradigm.original_once if role == ORIGINAL else "stimuli.again: seed"
            ways = ["take random crops (stimuli.crop)", "show the same picture again (stimuli.again: same)"]
            if once:
                ways.insert(0, f"show each picture once ({once})")
            raise StimgenError(
                f"a trial shows the {role.replace('_', ' ')} more than once, but there is only one",
                hint=" or ".join(ways),
            )
    if cropped and settings.crop is not None and settings.crop.overlap != "allow":
        together = max(Counter(source for *_, source in parts).values())
        if settings.crop.overlap == "between_pictures":
            together = _count_most_shown(experiment, slots)
        _check_room(pool, size, together)


def _count_most_shown(experiment: Experiment, slots: Sequence[PictureSlot]) -> int:
    """Return the largest number of parts that a trial shows of one picture."""
    parts: dict[object, set[object]] = {}
    for slot in slots:
        is_original = slot.role == ORIGINAL
        picture = (ORIGINAL, slot.source) if is_original else identify_picture(experiment.stimuli, slot)
        parts.setdefault(picture, set()).add(identify_part(experiment.stimuli, slot))
    return max(map(len, parts.values()))


def _check_seeds(experiment: Experiment, pool: PicturePool, slots: Sequence[PictureSlot]) -> None:
    syntheses = list_syntheses(experiment.stimuli, slots)
    needed = max(Counter((source, condition) for *_, condition, source in syntheses).values(), default=0)
    for part, (source, condition) in product(pool.list_sets(), pool.cells):
        seeds = part.seeds(source, condition)
        if len(seeds) < needed:
            raise StimgenError(
                f"a trial needs syntheses of {needed} seeds, but source {source!r} in condition "
                f"{condition!r} has only: {', '.join(map(str, seeds))}",
                hint=_suggest_seeds(experiment, part, (source, condition), needed),
            )


def _suggest_seeds(experiment: Experiment, pool: PicturePool, cell: tuple[str, str], needed: int) -> str:
    """Return what to do about too few seeds."""
    if experiment.stimuli.seeds:
        return "name more seeds in stimuli.seeds, or none"
    content = pool.record(*cell)
    index = pool.synthesis(*cell, content.seed).set
    return suggest_seeds(pool.stores[index], content, needed)


def _check_room(pool: PicturePool, size: Size, count: int) -> None:
    picture = next(pool.pictures())
    area = (picture.width, picture.height)
    if parts_fit(size, count, area):
        return
    fits = max((side for side in range(1, min(area) + 1) if parts_fit((side, side), count, area)), default=0)
    smaller = f"use square crops of at most {fits} pixels, or " if fits else ""
    raise StimgenError(
        f"{count} crops of {size[0]} x {size[1]} pixels do not fit into pictures of {area[0]} x {area[1]} "
        "without overlap",
        hint=f"{smaller}write stimuli.crop.overlap: between_pictures or allow",
    )
