"""Defines durations that differ from trial to trial: uniform, exponential or listed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Tag
from typing_extensions import override

from stimgen.experiment.design.duration import Duration
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import KindOf, Model

DISTRIBUTIONS: Final = ("uniform", "exponential", "listed")
HALVINGS: Final = 60  # of an interval of width 1: to the last bits of a number


class Jitter(Model):
    """Is the base of distributions of durations."""

    @abstractmethod
    def list_durations(self) -> tuple[Duration, ...]:
        """Return the durations that must be whole numbers of refreshes."""

    @abstractmethod
    def draw_frames(self, number: float, refresh_hz: float, tolerance_ms: float) -> int:
        """Return the number of refreshes that a uniform random number in [0, 1) stands for."""

    def check_refreshes(self, refresh_hz: float, tolerance_ms: float) -> None:
        """Raise a `StimgenError` if a duration is no whole number of refreshes, or too few are possible."""
        for duration in self.list_durations():
            duration.count_frames(refresh_hz, tolerance_ms)


class UniformJitter(Jitter):
    """Draws every whole number of refreshes between two durations with equal probability."""

    distribution: Literal["uniform"]
    min: Duration
    """Shortest duration."""
    max: Duration
    """Longest duration."""

    @override
    def list_durations(self) -> tuple[Duration, ...]:
        return self.min, self.max

    @override
    def draw_frames(self, number: float, refresh_hz: float, tolerance_ms: float) -> int:
        low, high = _count_limits(self.min, self.max, refresh_hz, tolerance_ms)
        return low + int(number * (high - low + 1))

    @override
    def check_refreshes(self, refresh_hz: float, tolerance_ms: float) -> None:
        _count_limits(self.min, self.max, refresh_hz, tolerance_ms)


class ExponentialJitter(Jitter):
    """Draws durations from an exponential distribution, cut off at both ends.

    At every moment the end is nearly as likely as at the moment before, so that waiting tells little about
    what comes next (Luce 1986). In refreshes this is a geometric distribution.
    """

    distribution: Literal["exponential"]
    mean: Duration
    """Mean of what is drawn, with both limits taken into account."""
    min: Duration
    """Shortest duration, which is the most frequent."""
    max: Duration
    """Longest duration."""

    @override
    def list_durations(self) -> tuple[Duration, ...]:
        return self.min, self.max

    @override
    def draw_frames(self, number: float, refresh_hz: float, tolerance_ms: float) -> int:
        low, cumulative = self._distribute(refresh_hz, tolerance_ms)
        return low + int(np.searchsorted(cumulative, number * cumulative[-1], side="right"))

    @override
    def check_refreshes(self, refresh_hz: float, tolerance_ms: float) -> None:
        self._distribute(refresh_hz, tolerance_ms)

    def _distribute(self, refresh_hz: float, tolerance_ms: float) -> tuple[int, NDArray[np.float64]]:
        low, high = _count_limits(self.min, self.max, refresh_hz, tolerance_ms)
        mean = self.mean.milliseconds(refresh_hz) * refresh_hz / 1000
        if not low < mean < (low + high) / 2:
            middle = (low + high) / 2 * 1000 / refresh_hz
            raise StimgenError(
                f"an exponential distribution from {self.min} to {self.max} cannot have the mean {self.mean}",
                hint=f"write a mean between {low * 1000 / refresh_hz:g} ms and {middle:g} ms, the middle; a "
                "larger max allows a larger mean",
            )
        return low, _cumulate_geometric(high - low + 1, mean - low)


class ListedJitter(Jitter):
    """Draws one of several durations with equal probability; a repeated one is drawn more often."""

    distribution: Literal["listed"]
    values: Annotated[tuple[Duration, ...], Field(min_length=2, max_length=100)]
    """The durations."""

    @override
    def list_durations(self) -> tuple[Duration, ...]:
        return self.values

    @override
    def draw_frames(self, number: float, refresh_hz: float, tolerance_ms: float) -> int:
        return self.values[int(number * len(self.values))].count_frames(refresh_hz, tolerance_ms)


def _count_limits(low: Duration, high: Duration, refresh_hz: float, tolerance_ms: float) -> tuple[int, int]:
    """Return both limits in refreshes."""
    first, last = (limit.count_frames(refresh_hz, tolerance_ms) for limit in (low, high))
    if first >= last:
        raise StimgenError(f"the longest duration, {high}, is not longer than the shortest, {low}")
    return first, last


@lru_cache(maxsize=64)
def _cumulate_geometric(count: int, mean: float) -> NDArray[np.float64]:
    """Return cumulative weights, falling by a constant ratio, of 0 to `count` - 1 with this mean."""
    low, high = 0.0, 1.0
    steps = np.arange(count, dtype=np.float64)
    for _ in range(HALVINGS):
        ratio = (low + high) / 2
        weights = _raise_powers(ratio, count)
        # Sums in sequence have the same bits on every machine.
        found = np.cumsum(steps * weights)[-1] / np.cumsum(weights)[-1]
        low, high = (ratio, high) if found < mean else (low, ratio)
    cumulative: NDArray[np.float64] = np.cumsum(_raise_powers((low + high) / 2, count))
    return cumulative


def _raise_powers(ratio: float, count: int) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.cumprod(np.concatenate(([1.0], np.full(count - 1, ratio))))
    return powers


def _find_kind(value: Any) -> str | None:
    """Return which kind of duration a value is written as."""
    if isinstance(value, Jitter):
        return str(value.model_dump()["distribution"])
    if not isinstance(value, Mapping) or "distribution" not in value:
        return "fixed"
    name = value["distribution"]
    return name if name in DISTRIBUTIONS else None


AnyDuration = Annotated[
    Annotated[Duration, Tag("fixed")]
    | Annotated[UniformJitter, Tag("uniform")]
    | Annotated[ExponentialJitter, Tag("exponential")]
    | Annotated[ListedJitter, Tag("listed")],
    KindOf(_find_kind, "there is no such distribution", DISTRIBUTIONS, at="distribution"),
]
"""A duration, or a distribution of durations."""
