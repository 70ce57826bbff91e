"""Reads and writes the files of measured monitors, which `stimgen display-check` makes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from stimgen.experiment.equipment.psychopy_part import find_psychopy_monitor
from stimgen.experiment.schema.display import DisplaySettings, Positive, Resolution, TableDate
from stimgen.reading.document import read_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import make_folder, write_file
from stimgen.reading.model import Integer, Model, Text, validate

MONITOR_FOLDER = "monitors"


class Monitor(Model):
    """Describes a measured screen and the viewing distance."""

    resolution: Resolution
    """Width and height in pixels."""
    width_cm: Positive
    """Width of the visible picture area."""
    distance_cm: Positive
    """Distance from the eye to the screen."""
    refresh_hz: Positive
    """Refresh rate: the declared one if the measured one is within one per cent of it."""
    measured_hz: Positive | None = None
    """Refresh rate as measured."""
    dropped: Annotated[Integer, Field(ge=0)] | None = None
    """Number of refreshes that were missed in the measurement."""
    frames: Annotated[Integer, Field(ge=1)] | None = None
    """Number of refreshes in the measurement."""
    linearised: TableDate | None = None
    """Date of the lookup table that linearises the screen; without it the screen is sRGB."""
    measured: Text = ""
    """Time of the measurement."""


def save_monitor(monitor: Monitor, file: Path) -> None:
    """Write a monitor's file."""
    values = {key: value for key, value in monitor.to_dict().items() if value is not None}
    head = (
        f"# Measured by stimgen display-check; quoted in an experiment as display: {{monitor: {file.stem}}}\n"
    )
    make_folder(file.parent)
    write_file(file, (head + yaml.safe_dump(values, sort_keys=False, default_flow_style=None)).encode())


def find_monitor(name: str, folder: Path, declared: DisplaySettings) -> Monitor:
    """Return the monitor of this name.

    It is the file ``monitors/NAME.yaml`` in `folder` or in the current folder, or a monitor of PsychoPy's
    Monitor Center. The latter has neither a refresh rate nor our lookup table; these are then as declared. A
    missing or invalid monitor raises a `StimgenError`.
    """
    folders = list(dict.fromkeys([folder / MONITOR_FOLDER, Path(MONITOR_FOLDER)]))
    for place in folders:
        file = place / f"{name}.yaml"
        if file.is_file():
            document = read_document(file)
            return validate(Monitor, document.data, document)
    if (psychopy_monitor := _find_in_monitor_center(name, declared)) is not None:
        return psychopy_monitor
    raise StimgenError(
        f"there is no monitor {name!r} in {' or '.join(map(str, folders))}",
        given=name,
        allowed=sorted({file.stem for place in folders for file in place.glob("*.yaml")}),
        hint=f"measure it with: stimgen display-check --save {name}",
    )


def _find_in_monitor_center(name: str, declared: DisplaySettings) -> Monitor | None:
    found = find_psychopy_monitor(name) if find_spec("psychopy") is not None else None
    if found is None:
        return None
    for key, value in found.items():
        if not value:
            raise StimgenError(f"the monitor {name!r} in PsychoPy's Monitor Center has no {key}")
    return Monitor(**found, refresh_hz=declared.refresh_hz, linearised=declared.table)
