"""Orders conditions by a number, along which schedules move and psychometric functions are fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from stimgen.experiment.design.decisions import Factor, HarderDirection, LevelScale, Scalar
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent


def build_level_scale(
    by: str, given: Mapping[str, float], factors: tuple[Factor, ...], pool: PicturePool, refresh_hz: float
) -> LevelScale:
    """Return the level of a schedule.

    `by` is ``duration``, ``soa`` or ``eccentricity``, which are factors; ``scaling``, ``regions`` or
    ``depth``, which are read from the records of the conditions; or ``condition``, for numbers that are
    `given`. Given numbers of conditions replace those of the records. `refresh_hz` converts durations in
    frames.

    A missing factor or number, equal numbers of two values, and numbers for unknown conditions raise a
    `StimgenError`.
    """
    name = by if by in ("duration", "soa", "eccentricity") else "condition"
    factor = next((factor for factor in factors if factor.name == name), None)
    if factor is None:
        where = {"duration": "timing.stimulus", "soa": "timing.soa"}.get(by, f"paradigm.{by}")
        raise StimgenError(
            f"schedule.level is {by}, which has only one value", hint=f"give several values in {where}"
        )
    _check_numbers(by, given, factor)
    numbers = {value: _find_number(by, value, given, pool, refresh_hz) for value in factor.values}
    order = sorted(factor.values, key=lambda value: numbers[value])
    for first, second in pairwise(order):
        if numbers[first] == numbers[second]:
            raise StimgenError(f"{first!r} and {second!r} have the same level: {by} {numbers[first]:g}")
    return LevelScale(name, by, tuple(order), tuple(numbers[value] for value in order))


def find_harder_direction(by: str, *, likeness_helps: bool = False) -> HarderDirection | None:
    """Return whether lower or higher numbers of a dimension are harder; None for ``condition``.

    Smaller scaling, more regions and deeper layers make syntheses more like the original, and more like each
    other: harder to tell apart (Freeman & Simoncelli 2011; Wallis et al. 2017), but easier to name, which
    `likeness_helps` says. Shorter pictures, earlier masks and places farther from fixation are harder in any
    task.
    """
    if by == "condition":
        return None
    if by in ("duration", "soa", "eccentricity"):
        return "higher" if by == "eccentricity" else "lower"
    return "lower" if (by == "scaling") != likeness_helps else "higher"


def _check_numbers(by: str, given: Mapping[str, float], factor: Factor) -> None:
    if given and factor.name != "condition":
        raise StimgenError(f"schedule.values gives numbers of conditions, but schedule.level is {by}")
    for name in given:
        if name not in factor.values:
            allowed = [str(value) for value in factor.values]
            raise StimgenError(
                f"schedule.values: there is no condition {name!r}", given=name, allowed=allowed
            )


def _find_number(
    by: str, value: Scalar, given: Mapping[str, float], pool: PicturePool, refresh_hz: float
) -> float:
    if by in ("duration", "soa"):
        return Duration.model_validate(str(value)).milliseconds(refresh_hz)
    if by == "eccentricity":
        return float(value)
    if given or by == "condition":
        if str(value) not in given:
            raise StimgenError(f"schedule.values has no number for condition {value!r}")
        return given[str(value)]
    found = _READERS[by](pool.record((*pool.sources, *pool.practice_sources)[0], str(value)))
    if found is None:
        raise StimgenError(
            f"schedule.level is {by}, but the records of condition {value!r} do not give it",
            hint="give the numbers: schedule.values: {CONDITION: NUMBER, ...}",
        )
    return found


def _read_scaling(content: RecordContent) -> float | None:
    return _find_common_number([regions.get("scaling") for regions in _list_regions(content)])


def _count_regions(content: RecordContent) -> float | None:
    """Return rows x columns of the grid of regions."""
    counts = [regions.get("rows", 0) * regions.get("columns", 0) for regions in _list_regions(content)]
    return _find_common_number([count or None for count in counts])


def _count_layers(content: RecordContent) -> float | None:
    """Return the number of layers of the deepest term."""
    terms = [layers for term in content.terms if isinstance(layers := term.get("layers"), dict)]
    return float(max(map(len, terms), default=0)) or None


def _list_regions(content: RecordContent) -> list[Mapping[str, Any]]:
    return [regions for term in content.terms if isinstance(regions := term.get("regions"), dict)]


def _find_common_number(values: list[Any]) -> float | None:
    """Return the number that all terms agree on; None if there is none."""
    known = {float(value) for value in values if isinstance(value, (int, float))}
    return known.pop() if len(known) == 1 else None


_READERS: dict[str, Callable[[RecordContent], float | None]] = {
    "scaling": _read_scaling,
    "regions": _count_regions,
    "depth": _count_layers,
}
