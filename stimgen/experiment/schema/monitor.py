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
    problem: Text = ""
    """Why durations on this screen are not reliable, as measured; such a monitor needs ``unverified_timing:
    mark``."""
    gamma: Annotated[tuple[Positive, ...], Field(min_length=3, max_length=3)] | None = None
    """Exponents of red, green and blue that a session undoes with a table of the graphics card, as PsychoPy's
    Monitor Center has them."""


def save_monitor(monitor: Monitor, file: Path) -> None:
    """Write a monitor's file."""
    values = {key: value for key, value in monitor.to_dict().items() if value not in (None, "")}
    head = (
        f"# Measured by stimgen display-check; quoted in an experiment as display: {{monitor: {file.stem}}}\n"
    )
    make_folder(file.parent)
    write_file(file, (head + yaml.safe_dump(values, sort_keys=False, default_flow_style=None)).encode())


def find_monitor(name: str, folder: Path, declared: DisplaySettings) -> Monitor:
    """Return the monitor of this name.

    It is the file ``monitors/NAME.yaml`` in `folder` or in the current folder, or a monitor of PsychoPy's
    Monitor Center. The latter has no refresh rate, which is then as declared. Its gamma is used if
    ``transfer: {linearised: DATE}`` names its day, and refused otherwise. A missing or invalid monitor raises
    a `StimgenError`.
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


def refuse_failed_monitor(display: DisplaySettings, folder: Path) -> None:
    """Raise a `StimgenError` if the experiment's monitor was saved from a measurement that had failed."""
    if display.monitor is None or display.unverified_timing == "mark":
        return
    problem = find_monitor(display.monitor, folder, display).problem
    if problem:
        raise StimgenError(
            f"the measurement of the monitor {display.monitor!r} had failed: {problem}",
            hint="switch on vertical sync, close other programs, and measure it again: stimgen display-check "
            f"--save {display.monitor} --replace; or write display: {{unverified_timing: mark}}, and every "
            "line of the journal says that timing was not verified",
        )


def find_gamma(display: DisplaySettings, folder: Path) -> tuple[float, ...] | None:
    """Return the exponents that a session loads into the graphics card, or None if it loads none.

    They are those of PsychoPy's Monitor Center. Raises a `StimgenError` as `find_monitor` does.
    """
    if display.monitor is None:
        return None
    return find_monitor(display.monitor, folder, display).gamma


def _find_in_monitor_center(name: str, declared: DisplaySettings) -> Monitor | None:
    found = find_psychopy_monitor(name) if find_spec("psychopy") is not None else None
    if found is None:
        return None
    for key in ("resolution", "width_cm", "distance_cm"):
        if not found[key]:
            raise StimgenError(f"the monitor {name!r} in PsychoPy's Monitor Center has no {key}")
    gamma, calibrated = found.get("gamma"), found.get("calibrated")
    if gamma is not None:
        _check_calibration(name, gamma, calibrated, declared)
    return Monitor(
        resolution=found["resolution"],
        width_cm=found["width_cm"],
        distance_cm=found["distance_cm"],
        refresh_hz=declared.refresh_hz,
        linearised=declared.table,
        gamma=gamma,
    )


def _check_calibration(
    name: str, gamma: tuple[float, ...], calibrated: str | None, declared: DisplaySettings
) -> None:
    """Refuse an experiment that would ignore a calibration, or that was written for another one."""
    if declared.table is not None and calibrated in (declared.table, "", None):
        return
    exponents = ", ".join(f"{one:.3g}" for one in gamma)
    problem = (
        "display.transfer is srgb, which would ignore it"
        if declared.table is None
        else f"display.transfer names another date, {declared.table}"
    )
    raise StimgenError(
        f"the monitor {name!r} in PsychoPy's Monitor Center has a gamma calibration of "
        f"{calibrated or 'an unknown day'} (gamma {exponents}), but {problem}",
        hint=f"write transfer: {{linearised: {calibrated or 'YYYY-MM-DD'}}} to use it, and mismatch: convert "
        f"for sets in sRGB; or, for a screen without a table, save another monitor: stimgen display-check "
        "--save NAME",
    )
