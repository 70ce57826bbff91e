"""Steps in their order: checked, settled to numbers, and gone through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from stimgen.images.picture import Pair, Picture
from stimgen.images.steps import Geometry, Matching, Step
from stimgen.images.steps.base import DIGITS, SET
from stimgen.reading.errors import StimgenError

A = TypeVar("A")
T = TypeVar("T")


def run(steps: Sequence[Step], pair: Pair) -> Picture:
    """Return a picture after all steps.

    Raises
    ------
    StimgenError
        A step is impossible; the message begins with which.
    """
    for i, step in enumerate(steps):
        pair = _named(i, step, step.apply, pair)
    return pair.picture


def final_size(steps: Sequence[Step], width: int, height: int) -> tuple[int, int]:
    """Return width and height after all steps.

    Raises
    ------
    StimgenError
        A picture of this size has no room for a step; the message begins with which.
    """
    size = (width, height)
    for i, step in enumerate(steps):
        size = _named(i, step, _size, (step, *size))
    return size


def needs_set(steps: Sequence[Step]) -> bool:
    """Return whether a step wants the mean over the set."""
    return any(_wants_set(step) for step in steps)


def settled(steps: Sequence[Step], sources: Iterable[tuple[str, Picture]]) -> tuple[Step, ...]:
    """Return the steps with the mean over `sources`, to six digits, wherever one wants the set's.

    Each source, given with its name, is measured where it is seen after the geometry among the steps before;
    what else these do is left out, because it would depend on the mean.

    Raises
    ------
    StimgenError
        A source has no room for a step, or no value of its own; the message begins with which.
    """
    found: dict[int, list[float]] = {}
    for name, source in sources if needs_set(steps) else ():
        try:
            for i, value in _measured(steps, source):
                found.setdefault(i, []).append(value)
        except StimgenError as error:
            raise error.about(f"source {name!r}") from None
    return tuple(_settled(step, found.get(i)) for i, step in enumerate(steps))


def recipe(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return what the steps do, in their order, for identities."""
    return [step.recipe() for step in steps]


def placed(steps: Sequence[Step], picture: Picture) -> Picture:
    """Return a picture seen where it is after all steps, with none of its values changed.

    Raises
    ------
    StimgenError
        It has no room for a step; the message begins with which.
    """
    for i, step in enumerate(steps):
        if isinstance(step, Geometry):
            picture = _named(i, step, step.place, picture)
    return picture


def _measured(steps: Sequence[Step], source: Picture) -> Iterator[tuple[int, float]]:
    picture = source
    for i, step in enumerate(steps):
        if isinstance(step, Geometry):
            picture = _named(i, step, step.place, picture)
        elif isinstance(step, Matching) and _wants_set(step):
            yield i, _named(i, step, step.measure, picture)


def _wants_set(step: Step) -> bool:
    return isinstance(step, Matching) and step.wanted == SET


def _settled(step: Step, values: list[float] | None) -> Step:
    if not isinstance(step, Matching) or values is None:
        return step
    return step.settled(round(sum(values) / len(values), DIGITS))


def _size(place: tuple[Step, int, int]) -> tuple[int, int]:
    step, width, height = place
    return step.size(width, height)


def _named(i: int, step: Step, verb: Callable[[A], T], argument: A) -> T:
    try:
        return verb(argument)
    except StimgenError as error:
        raise error.about(f"step {i + 1}, {step.name}") from None
