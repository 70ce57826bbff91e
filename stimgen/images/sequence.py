"""Steps in their order: checked, settled to numbers, and gone through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from stimgen.images.picture import MaskedPicture, PictureAndSource
from stimgen.images.steps import GeometryStep, ImageStep, MatchingStep
from stimgen.images.steps.base import DIGITS, SET_MEAN
from stimgen.reading.errors import StimgenError

A = TypeVar("A")
T = TypeVar("T")


def apply_steps(steps: Sequence[ImageStep], pair: PictureAndSource) -> MaskedPicture:
    """Return a picture after all steps.

    Raises
    ------
    StimgenError
        A step is impossible; the message begins with which.
    """
    for i, step in enumerate(steps):
        pair = _call_step(i, step, step.apply, pair)
    return pair.picture


def final_size(steps: Sequence[ImageStep], width: int, height: int) -> tuple[int, int]:
    """Return width and height after all steps.

    Raises
    ------
    StimgenError
        A picture of this size has no room for a step; the message begins with which.
    """
    size = (width, height)
    for i, step in enumerate(steps):
        size = _call_step(i, step, _size_after, (step, *size))
    return size


def needs_set_mean(steps: Sequence[ImageStep]) -> bool:
    """Return whether a step wants the mean over the set."""
    return any(_wants_set_mean(step) for step in steps)


def resolve_set_means(
    steps: Sequence[ImageStep], sources: Iterable[tuple[str, MaskedPicture]]
) -> tuple[ImageStep, ...]:
    """Return the steps with the mean over `sources`, to six digits, wherever one wants the set's.

    Each source, given with its name, is measured where it is seen after the geometry among the steps before;
    what else these do is left out, because it would depend on the mean.

    Raises
    ------
    StimgenError
        A source has no room for a step, or no value of its own; the message begins with which.
    """
    found: dict[int, list[float]] = {}
    for name, source in sources if needs_set_mean(steps) else ():
        try:
            for i, value in _measure_source(steps, source):
                found.setdefault(i, []).append(value)
        except StimgenError as error:
            raise error.add_prefix(f"source {name!r}") from None
    return tuple(_resolve_set_mean(step, found.get(i)) for i, step in enumerate(steps))


def step_recipes(steps: Sequence[ImageStep]) -> list[dict[str, Any]]:
    """Return what the steps do, in their order, for identities."""
    return [step.recipe() for step in steps]


def apply_geometry(steps: Sequence[ImageStep], picture: MaskedPicture) -> MaskedPicture:
    """Return a picture seen where it is after all steps, with none of its values changed.

    Raises
    ------
    StimgenError
        It has no room for a step; the message begins with which.
    """
    for i, step in enumerate(steps):
        if isinstance(step, GeometryStep):
            picture = _call_step(i, step, step.apply_geometry, picture)
    return picture


def _measure_source(steps: Sequence[ImageStep], source: MaskedPicture) -> Iterator[tuple[int, float]]:
    picture = source
    for i, step in enumerate(steps):
        if isinstance(step, GeometryStep):
            picture = _call_step(i, step, step.apply_geometry, picture)
        elif isinstance(step, MatchingStep) and _wants_set_mean(step):
            yield i, _call_step(i, step, step.measure, picture)


def _wants_set_mean(step: ImageStep) -> bool:
    return isinstance(step, MatchingStep) and step.target == SET_MEAN


def _resolve_set_mean(step: ImageStep, values: list[float] | None) -> ImageStep:
    if not isinstance(step, MatchingStep) or values is None:
        return step
    return step.with_target(round(sum(values) / len(values), DIGITS))


def _size_after(place: tuple[ImageStep, int, int]) -> tuple[int, int]:
    step, width, height = place
    return step.size(width, height)


def _call_step(i: int, step: ImageStep, verb: Callable[[A], T], argument: A) -> T:
    try:
        return verb(argument)
    except StimgenError as error:
        raise error.add_prefix(f"step {i + 1}, {step.name}") from None
