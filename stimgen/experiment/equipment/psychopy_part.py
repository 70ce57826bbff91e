"""Imports PsychoPy, which no other file does, and asks for its version and its monitors."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

EXTRA, PURPOSE = "psychopy", "showing stimuli to a person"


def import_psychopy(module: str) -> Any:
    """Return a module of PsychoPy, which logs errors only and leaves `sys.path` alone.

    Raises `StimgenError` if PsychoPy is not installed, its preferences cannot be written, or there is no
    display.
    """
    os.environ.setdefault("PSYCHOPYNOPACKAGES", "1")
    if not os.access(Path.home(), os.W_OK):
        raise StimgenError(
            "PsychoPy keeps preferences in the home folder, which cannot be written",
            hint="set HOME to a folder that can be written",
        )
    try:
        logging = import_optional("psychopy.logging", EXTRA, PURPOSE)
        logging.console.setLevel(logging.ERROR)
        return import_optional(f"psychopy.{module}", EXTRA, PURPOSE)
    except StimgenError:
        raise
    except Exception as error:
        # Modules of PsychoPy connect to the display when they are imported, and raise errors of many kinds.
        raise _display_error(error) from None


def _display_error(error: Exception) -> StimgenError:
    name = os.environ.get("DISPLAY")
    said = f"DISPLAY is {name!r}" if name else "DISPLAY is not set"
    hint = "run this on a computer with a screen, or use --observer simulated"
    if not sys.platform.startswith("linux"):
        said = "no screen was found"
    return StimgenError(f"no display: {said} ({type(error).__name__}: {error})", hint=hint)


def import_pyglet(module: str) -> Any:
    """Return a module of pyglet, on which PsychoPy's windows are built."""
    return import_optional(f"pyglet.{module}", EXTRA, PURPOSE)


def psychopy_version() -> str:
    """Return PsychoPy's version."""
    import psychopy

    return str(psychopy.__version__)


def has_display() -> bool:
    """Return whether there may be a display."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY"))


def find_psychopy_monitor(name: str) -> Mapping[str, Any] | None:
    """Return what the Monitor Center knows of a monitor, or None if it does not know it.

    ``resolution``, ``width_cm`` and ``distance_cm``; ``gamma``, one exponent for each of red, green and blue,
    or None if none was measured; and ``calibrated``, the day of the calibration, YYYY-MM-DD.
    """
    monitors = import_psychopy("monitors")
    if name not in monitors.getAllMonitors():
        return None
    monitor = monitors.Monitor(name, autoLog=False)
    size, date = monitor.getSizePix(), monitor.getCalibDate()
    return {
        "resolution": None if size is None else (int(size[0]), int(size[1])),
        "width_cm": monitor.getWidth(),
        "distance_cm": monitor.getDistance(),
        "gamma": None if monitor.gammaIsDefault() else _list_exponents(monitor.getGamma()),
        "calibrated": "" if date is None else datetime.fromtimestamp(date).astimezone().date().isoformat(),
    }


def _list_exponents(gamma: Any) -> tuple[float, ...]:
    """Return three exponents for PsychoPy's one or three."""
    several = [float(gamma)] if isinstance(gamma, int | float) else [float(one) for one in gamma]
    return tuple(several if len(several) == 3 else several[:1] * 3)
