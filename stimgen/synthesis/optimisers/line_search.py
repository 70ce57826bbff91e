"""Searches a line for the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 3.5 and 3.6)."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
EVALUATIONS = 20
LARGEST_EXPANSION = 10.0
# An interpolated step keeps this part of the interval away from both of its ends.
MARGIN = 0.1


@dataclass(frozen=True)
class SearchPoint:
    """Holds a step length with the objective's value and slope there."""

    step: float
    value: float
    slope: float


LineSearch = Generator[float, tuple[float, float], bool]


def search_strong_wolfe(value: float, slope: float, step: float) -> LineSearch:
    """Search for an acceptable step, beginning with `step`.

    The generator yields steps to evaluate, is sent their value and slope, and returns whether the last one
    fulfils the strong Wolfe conditions. `value` and `slope` are those at step zero; the slope is negative.
    """
    origin = SearchPoint(0.0, value, slope)
    previous = origin
    for count in range(EVALUATIONS):
        point = SearchPoint(step, *(yield step))
        if _is_too_high(point, origin) or (count > 0 and point.value >= previous.value):
            return (yield from _zoom(origin, previous, point, EVALUATIONS - count - 1))
        if _is_flat_enough(point, origin):
            return True
        if point.slope >= 0:
            return (yield from _zoom(origin, point, previous, EVALUATIONS - count - 1))
        step = _extrapolate(previous, point)
        previous = point
    return False


def _zoom(origin: SearchPoint, low: SearchPoint, high: SearchPoint, evaluations: int) -> LineSearch:
    """Narrow the bracket between `low`, the best so far, and `high`."""
    for _ in range(evaluations):
        step = _interpolate(low, high)
        if step in (low.step, high.step):
            return False
        point = SearchPoint(step, *(yield step))
        if _is_too_high(point, origin) or point.value >= low.value:
            high = point
            continue
        if _is_flat_enough(point, origin):
            return True
        if point.slope * (high.step - low.step) >= 0:
            high = low
        low = point
    return False


def _is_too_high(point: SearchPoint, origin: SearchPoint) -> bool:
    return point.value > origin.value + SUFFICIENT_DECREASE * point.step * origin.slope


def _is_flat_enough(point: SearchPoint, origin: SearchPoint) -> bool:
    return abs(point.slope) <= -CURVATURE * origin.slope


def _extrapolate(previous: SearchPoint, point: SearchPoint) -> float:
    """Return a step beyond `point`, by extrapolation within bounds."""
    nearest = point.step + 0.1 * (point.step - previous.step)
    farthest = point.step * LARGEST_EXPANSION
    minimum = find_cubic_minimum(previous, point)
    return farthest if minimum is None or minimum <= point.step else min(max(minimum, nearest), farthest)


def _interpolate(low: SearchPoint, high: SearchPoint) -> float:
    left, right = sorted((low.step, high.step))
    minimum = find_cubic_minimum(low, high)
    if minimum is None:
        return 0.5 * (left + right)
    margin = MARGIN * (right - left)
    return min(max(minimum, left + margin), right - margin)


def find_cubic_minimum(a: SearchPoint, b: SearchPoint) -> float | None:
    """Return where the cubic through both points' values and slopes is lowest (equation 3.59), or None."""
    if a.step == b.step:
        return None
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step)
    inside = d1 * d1 - a.slope * b.slope
    if not inside >= 0.0:
        return None
    d2 = math.copysign(math.sqrt(inside), b.step - a.step)
    denominator = b.slope - a.slope + 2.0 * d2
    if denominator == 0.0:
        return None
    return b.step - (b.step - a.step) * (b.slope + d2 - d1) / denominator
