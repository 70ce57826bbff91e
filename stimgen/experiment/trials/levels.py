"""Conditions in the order of a number, along which schedules move and psychometric functions go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stimgen.experiment.design.decisions import Factor, LevelScale, Scalar
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent


def build_level_scale(
    by: str, given: Mapping[str, float], factors: tuple[Factor, ...], pool: PicturePool, refresh_hz: float
) -> LevelScale:
    """Return the level of a schedule.

    Parameters
    ----------
    by : str
        ``duration`` or ``eccentricity``, factors of the design; ``scaling``, ``regions`` or ``depth``, read
        from the records of the conditions; or ``condition``, for numbers that are given.
    given : dict
        A number for every condition, instead of what the records say.
    factors : tuple of Factor
        Of the design.
    pool : PicturePool
        The pictures.
    refresh_hz : float
        For durations in frames.

    Raises
    ------
    StimgenError
        A condition has no such number, or two have the same; there is no such factor; numbers are given of
        what is no condition.
    """
    name = by if by in ("duration", "eccentricity") else "condition"
    factor = next((factor for factor in factors if factor.name == name), None)
    if factor is None:
        raise StimgenError(
            f"the schedule's level is {by}, which has only one value",
            hint="give it several in timing.stimulus" if by == "duration" else "give the paradigm several",
        )
    _check_numbers(by, given, factor)
    numbers = {value: _find_number(by, value, given, pool, refresh_hz) for value in factor.values}
    order = sorted(factor.values, key=lambda value: numbers[value])
    for first, second in zip(order, order[1:], strict=False):
        if numbers[first] == numbers[second]:
            raise StimgenError(f"{first!r} and {second!r} are the same level: {by} {numbers[first]:g}")
    return LevelScale(name, by, tuple(order), tuple(numbers[value] for value in order))


def _check_numbers(by: str, given: Mapping[str, float], factor: Factor) -> None:
    """Refuse numbers of what is no condition."""
    if given and factor.name != "condition":
        raise StimgenError(f"schedule.values are numbers of conditions, but the level is {by}")
    for name in given:
        if name not in factor.values:
            allowed = [str(value) for value in factor.values]
            raise StimgenError(
                f"schedule.values: there is no condition {name!r}", given=name, allowed=allowed
            )


def _find_number(
    by: str, value: Scalar, given: Mapping[str, float], pool: PicturePool, refresh_hz: float
) -> float:
    if by == "duration":
        return Duration.model_validate(str(value)).milliseconds(refresh_hz)
    if by == "eccentricity":
        return float(value)
    if given or by == "condition":
        if str(value) not in given:
            raise StimgenError(f"schedule.values has no number for condition {value!r}")
        return given[str(value)]
    content = pool.record((*pool.sources, *pool.practice_sources)[0], str(value))
    found = _READERS[by](content)
    if found is None:
        raise StimgenError(
            f"the schedule's level is {by}, which the records of condition {value!r} do not tell",
            hint="say the numbers: schedule.values: {CONDITION: NUMBER, ...}",
        )
    return found


def _read_scaling(content: RecordContent) -> float | None:
    return _find_common_number([regions.get("scaling") for regions in _regions(content)])


def _count_regions(content: RecordContent) -> float | None:
    """Return the number of regions of a grid: rows x columns."""
    found = [regions.get("rows", 0) * regions.get("columns", 0) for regions in _regions(content)]
    return _find_common_number([number or None for number in found])


def _count_layers(content: RecordContent) -> float | None:
    """Return the number of layers of the deepest term."""
    return float(max((len(_layers(term)) for term in content.terms), default=0)) or None


def _layers(term: Mapping[str, Any]) -> Mapping[str, Any]:
    layers: Mapping[str, Any] = term.get("layers", {})
    return layers


def _regions(content: RecordContent) -> list[Mapping[str, Any]]:
    return [regions for term in content.terms if isinstance(regions := term.get("regions"), dict)]


def _find_common_number(values: list[Any]) -> float | None:
    """Return the number that all terms agree on; None where there is none."""
    known = {float(value) for value in values if isinstance(value, (int, float))}
    return known.pop() if len(known) == 1 else None


_READERS: dict[str, Callable[[RecordContent], float | None]] = {
    "scaling": _read_scaling,
    "regions": _count_regions,
    "depth": _count_layers,
}
