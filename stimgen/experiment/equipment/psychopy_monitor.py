"""Reads monitors of PsychoPy's Monitor Center."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stimgen.experiment.equipment.psychopy_part import import_psychopy


def find_psychopy_monitor(name: str) -> Mapping[str, Any] | None:
    """Return a monitor's ``resolution``, ``width_cm`` and ``distance_cm``, or None if it is not known."""
    monitors = import_psychopy("monitors")
    if name not in monitors.getAllMonitors():
        return None
    monitor = monitors.Monitor(name, autoLog=False)
    size = monitor.getSizePix()
    return {
        "resolution": None if size is None else (int(size[0]), int(size[1])),
        "width_cm": monitor.getWidth(),
        "distance_cm": monitor.getDistance(),
    }
