"""Converts between degrees of visual angle and pixels of a screen."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stimgen.experiment.design.paradigms.base import PicturePlace
from stimgen.experiment.schema.display import DisplaySettings
from stimgen.experiment.schema.monitor import Monitor, find_monitor
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class ViewingGeometry:
    """Describes a flat screen, perpendicular to the line of sight at its centre, where fixation is."""

    resolution: tuple[int, int]
    """Width and height in pixels."""
    distance_px: float
    """Distance from the eye to the screen, in pixels."""
    refresh_hz: float
    """Declared refresh rate."""
    distance_cm: float | None = None
    """Distance from the eye to the screen, if it is known."""
    width_cm: float | None = None
    """Width of the screen, if it is known."""

    def point(self, place: PicturePlace) -> tuple[float, float]:
        """Return a place in pixels from the centre, x to the right, y up."""
        if place.pixels is not None:
            return place.pixels
        if place.eccentricity is not None:
            distance = self.pixels(place.eccentricity)
            angle = math.radians(place.angle or 0.0)
            return distance * math.cos(angle), distance * math.sin(angle)
        return self.pixels(place.x or 0.0), self.pixels(place.y or 0.0)

    def pixels(self, degrees: float) -> float:
        """Return the distance from fixation of a point at a visual angle a: d tan(a)."""
        return self.distance_px * math.tan(math.radians(degrees))

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Return the visual angles of a point along both axes: atan(x / d) and atan(y / d)."""
        distance = self.distance_px
        return math.degrees(math.atan2(x, distance)), math.degrees(math.atan2(y, distance))

    def extent(self, position: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
        """Return width and height, in degrees of visual angle, of an area centred at a position in pixels."""
        (x, y), (wide, high) = position, size
        right, top = self.degrees(x + wide / 2, y + high / 2)
        left, bottom = self.degrees(x - wide / 2, y - high / 2)
        return right - left, top - bottom

    def pixels_wide(self, degrees: float) -> float:
        """Return the width in pixels of an area around fixation with a visual angle a: 2 d tan(a / 2)."""
        return 2 * self.pixels(degrees / 2)

    @property
    def pixels_per_degree(self) -> float:
        """Return pixels per degree at fixation: d tan(1 degree)."""
        return self.pixels(1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "pixels_per_degree": self.pixels_per_degree}


def compute_viewing(display: DisplaySettings, folder: Path) -> ViewingGeometry:
    """Return the geometry of a declared screen.

    A monitor that is unknown, or differs from what is declared, raises a `StimgenError`.
    """
    if display.monitor is not None:
        monitor = find_monitor(display.monitor, folder, display)
        _check_against_monitor(display, monitor)
        return compute_viewing_from_cm(
            monitor.resolution, monitor.width_cm, monitor.distance_cm, monitor.refresh_hz
        )
    resolution = display.resolution or (0, 0)
    if display.width_cm is not None and display.distance_cm is not None:
        return compute_viewing_from_cm(resolution, display.width_cm, display.distance_cm, display.refresh_hz)
    distance = (display.pixels_per_degree or 0.0) / math.tan(math.radians(1.0))
    return ViewingGeometry(resolution, distance, display.refresh_hz)


def _check_against_monitor(display: DisplaySettings, monitor: Monitor) -> None:
    """Refuse settings that differ from what was measured of the monitor."""
    for name in ("resolution", "refresh_hz"):
        declared, measured = getattr(display, name), getattr(monitor, name)
        if name in display.model_fields_set and declared not in (None, measured):
            raise StimgenError(
                f"display.{name} is {_format_measure(declared)}, but the monitor {display.monitor!r} has "
                f"{_format_measure(measured)}",
                hint=f"take {name} out of display: the monitor has it; if the screen is another one now, "
                f"measure it again: stimgen display-check --save {display.monitor} --replace",
            )
    if display.table != monitor.linearised:
        raise StimgenError(
            f"display.transfer is {_format_transfer(display.table)}, but the monitor {display.monitor!r} was "
            f"measured as {_format_transfer(monitor.linearised)}",
            hint=f"write transfer: {_format_transfer(monitor.linearised)}, or measure the monitor again",
        )


def _format_measure(value: float | tuple[int, int]) -> str:
    return f"{value[0]} x {value[1]} pixels" if isinstance(value, tuple) else f"{value:g} Hz"


def _format_transfer(table: str | None) -> str:
    return "srgb" if table is None else f"{{linearised: {table}}}"


def compute_viewing_from_cm(
    resolution: tuple[int, int], width_cm: float, distance_cm: float, refresh_hz: float
) -> ViewingGeometry:
    """Return the geometry of a screen with a known width and viewing distance."""
    distance_px = distance_cm * resolution[0] / width_cm
    return ViewingGeometry(resolution, distance_px, refresh_hz, distance_cm, width_cm)
