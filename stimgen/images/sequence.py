"""Applies steps in their order and replaces words for the set's mean by numbers.

All functions raise a `StimgenError` that names the step first if a picture does not allow a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from stimgen.images.picture import MaskedPicture, PictureAndSource
from stimgen.images.prepare import ImageSize
from stimgen.images.steps import GeometryStep, ImageStep, MatchingStep
from stimgen.images.steps.base import DIGITS, SET_MEAN
from stimgen.reading.errors import StimgenError


def apply_steps(steps: Sequence[ImageStep], pair: PictureAndSource) -> MaskedPicture:
    """Return a picture after all steps."""
    for i, step in enumerate(steps):
        with _name_step(i, step):
            pair = step.apply(pair)
    return pair.picture


def final_size(steps: Sequence[ImageStep], width: int, height: int) -> ImageSize:
    """Return width and height after all steps."""
    for i, step in enumerate(steps):
        with _name_step(i, step):
            width, height = step.size(width, height)
    return width, height


def needs_set_mean(steps: Sequence[ImageStep]) -> bool:
    """Return whether a step needs the mean over the set."""
    return any(isinstance(step, MatchingStep) and step.target == SET_MEAN for step in steps)


def resolve_set_means(
    steps: Sequence[ImageStep], sources: Iterable[tuple[str, MaskedPicture]]
) -> tuple[ImageStep, ...]:
    """Return the steps with the mean over `sources`, rounded to six digits, where one names the set's mean.

    Each source, given with its name, is measured with the mask that the preceding geometry steps give it.
    Other preceding steps are ignored, because they could depend on the mean. Errors name the source first.
    """
    values: dict[int, list[float]] = {}
    for name, source in sources if needs_set_mean(steps) else ():
        try:
            for i, value in _measure_source(steps, source):
                values.setdefault(i, []).append(value)
        except StimgenError as error:
            raise error.add_prefix(f"source {name!r}") from None
    resolved = list(steps)
    for i, found in values.items():
        step = steps[i]
        if isinstance(step, MatchingStep):
            resolved[i] = step.with_target(round(sum(found) / len(found), DIGITS))
    return tuple(resolved)


def apply_geometry(steps: Sequence[ImageStep], picture: MaskedPicture) -> MaskedPicture:
    """Return a picture with its values unchanged and with the mask that it has after all steps."""
    for i, step in enumerate(steps):
        if isinstance(step, GeometryStep):
            with _name_step(i, step):
                picture = step.apply_geometry(picture)
    return picture


def _measure_source(steps: Sequence[ImageStep], picture: MaskedPicture) -> Iterator[tuple[int, float]]:
    for i, step in enumerate(steps):
        with _name_step(i, step):
            if isinstance(step, GeometryStep):
                picture = step.apply_geometry(picture)
            elif isinstance(step, MatchingStep) and step.target == SET_MEAN:
                yield i, step.measure(picture)


@contextmanager
def _name_step(i: int, step: ImageStep) -> Iterator[None]:
    try:
        yield
    except StimgenError as error:
        raise error.add_prefix(f"step {i + 1}, {step.name}") from None
