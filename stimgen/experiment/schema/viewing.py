"""Where things are seen: degrees of visual angle and pixels of a screen."""

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
    """A flat screen, perpendicular to the line of sight at fixation, which is at its centre.

    Attributes
    ----------
    resolution : tuple of int
        Width and height in pixels.
    distance_px : float
        From the eye to the screen, in pixels.
    refresh_hz : float
        Declared.
    distance_cm, width_cm : float or None
        Where they are known.
    """

    resolution: tuple[int, int]
    distance_px: float
    refresh_hz: float
    distance_cm: float | None = None
    width_cm: float | None = None

    def point(self, place: PicturePlace) -> tuple[float, float]:
        """Return where a place is, in pixels from the centre, x to the right, y up."""
        if place.pixels is not None:
            return place.pixels
        if place.eccentricity is not None:
            distance = self.pixels(place.eccentricity)
            angle = math.radians(place.angle or 0.0)
            return distance * math.cos(angle), distance * math.sin(angle)
        return self.pixels(place.x or 0.0), self.pixels(place.y or 0.0)

    def pixels(self, degrees: float) -> float:
        """Return the distance from fixation of what is seen `degrees` away from it: d tan(a)."""
        return self.distance_px * math.tan(math.radians(degrees))

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Return the visual angles of a point, along either axis: atan(x / d)."""
        return (
            math.degrees(math.atan2(x, self.distance_px)),
            math.degrees(math.atan2(y, self.distance_px)),
        )

    def extent(self, position: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
        """Return width and height, in degrees of visual angle, of what is centred at a position in pixels."""
        (x, y), (wide, high) = position, size
        right, top = self.degrees(x + wide / 2, y + high / 2)
        left, bottom = self.degrees(x - wide / 2, y - high / 2)
        return right - left, top - bottom

    def pixels_wide(self, degrees: float) -> float:
        """Return how wide something about fixation is on the screen: 2 d tan(a / 2)."""
        return 2 * self.pixels(degrees / 2)

    @property
    def pixels_per_degree(self) -> float:
        """At fixation: d tan(1 degree)."""
        return self.pixels(1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {**asdict(self), "pixels_per_degree": self.pixels_per_degree}


def compute_viewing(display: DisplaySettings, folder: Path) -> ViewingGeometry:
    """Return where things are seen on a screen as declared.

    Raises
    ------
    StimgenError
        Its monitor is not known, or is another than declared.
    """
    if display.monitor is not None:
        monitor = find_monitor(display.monitor, folder, display)
        _check_as_measured(display, monitor)
        return compute_viewing_from_cm(
            monitor.resolution, monitor.width_cm, monitor.distance_cm, monitor.refresh_hz
        )
    resolution = display.resolution or (0, 0)
    if display.width_cm is not None and display.distance_cm is not None:
        return compute_viewing_from_cm(resolution, display.width_cm, display.distance_cm, display.refresh_hz)
    distance = (display.pixels_per_degree or 0.0) / math.tan(math.radians(1.0))
    return ViewingGeometry(resolution, distance, display.refresh_hz)


def _check_as_measured(display: DisplaySettings, monitor: Monitor) -> None:
    """Refuse an experiment that says otherwise than what was measured of its monitor."""
    for name in ("resolution", "refresh_hz"):
        said, measured = getattr(display, name), getattr(monitor, name)
        if name in display.model_fields_set and said not in (None, measured):
            raise StimgenError(f"display.{name} is {said}, but of the monitor {display.monitor!r} {measured}")
    if display.table != monitor.linearised:
        raise StimgenError(
            f"display.transfer is {_format_transfer(display.table)}, but the monitor {display.monitor!r} was "
            f"measured as {_format_transfer(monitor.linearised)}",
            hint=f"say transfer: {_format_transfer(monitor.linearised)}, or measure the monitor again",
        )


def _format_transfer(table: str | None) -> str:
    return "srgb" if table is None else f"{{linearised: {table}}}"


def compute_viewing_from_cm(
    resolution: tuple[int, int], width_cm: float, distance_cm: float, refresh_hz: float
) -> ViewingGeometry:
    """Return where things are seen on a screen of known width, from a known distance."""
    distance_px = distance_cm * resolution[0] / width_cm
    return ViewingGeometry(resolution, distance_px, refresh_hz, distance_cm, width_cm)
