"""Monitors that were measured: what `stimgen display-check` saves and experiments quote."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from stimgen.experiment.equipment.psychopy_monitor import find_psychopy_monitor
from stimgen.experiment.schema.display import DisplaySettings, Positive, Resolution
from stimgen.reading.document import read_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import make_folder, write_file
from stimgen.reading.model import Integer, Model, Text, validate

MONITOR_FOLDER = "monitors"


class Monitor(Model):
    """A screen and where the eyes are."""

    resolution: Resolution
    """Width and height in pixels."""
    width_cm: Positive
    """Of what shows pixels."""
    distance_cm: Positive
    """From the eye to the screen."""
    refresh_hz: Positive
    """As measured, rounded to what was declared where it was within one per cent."""
    measured_hz: Positive | None = None
    """As measured."""
    dropped: Annotated[Integer, Field(ge=0)] | None = None
    """Refreshes missed in the measurement."""
    frames: Annotated[Integer, Field(ge=1)] | None = None
    """Refreshes in the measurement."""
    linearised: Annotated[Text, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    """Date of the table that makes light proportional to numbers; without it, as sRGB."""
    measured: Text = ""
    """When."""


def save_monitor(monitor: Monitor, file: Path) -> None:
    """Write a monitor's file.

    Raises
    ------
    StimgenError
        It cannot be written.
    """
    said = {key: value for key, value in monitor.to_dict().items() if value is not None}
    head = (
        f"# Measured by stimgen display-check; quoted in an experiment as display: {{monitor: {file.stem}}}\n"
    )
    make_folder(file.parent)
    write_file(file, (head + yaml.safe_dump(said, sort_keys=False, default_flow_style=None)).encode())


def find_monitor(name: str, folder: Path, declared: DisplaySettings) -> Monitor:
    """Return the monitor of this name.

    It is the file ``monitors/NAME.yaml`` in `folder` or in the current folder, or a monitor of PsychoPy's
    Monitor Center, which knows neither the refresh rate nor our table: they are then as declared.

    Raises
    ------
    StimgenError
        There is none, or its file cannot be accepted.
    """
    places = list(dict.fromkeys([folder / MONITOR_FOLDER, Path(MONITOR_FOLDER)]))
    for place in places:
        file = place / f"{name}.yaml"
        if file.is_file():
            document = read_document(file)
            return validate(Monitor, document.data, document)
    if (known_there := _find_in_monitor_center(name, declared)) is not None:
        return known_there
    known = sorted({file.stem for place in places for file in place.glob("*.yaml")})
    raise StimgenError(
        f"there is no monitor {name!r} in {' or '.join(map(str, places))}",
        given=name,
        allowed=known,
        hint=f"measure it with: stimgen display-check --save {name}",
    )


def _find_in_monitor_center(name: str, declared: DisplaySettings) -> Monitor | None:
    if find_spec("psychopy") is None:
        return None
    found = find_psychopy_monitor(name)
    if found is None:
        return None
    for key, value in found.items():
        if not value:
            raise StimgenError(f"PsychoPy's Monitor Center has no {key} of the monitor {name!r}")
    return Monitor(**found, refresh_hz=declared.refresh_hz, linearised=declared.table)
