"""Shows a test card on a screen, measures its refresh, and saves it as a monitor for experiments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stimgen.experiment.display_check.setup import DisplayGeometry, DisplaySetup
from stimgen.experiment.pictures.pool import open_pool
from stimgen.experiment.presentation.psychopy_screen import (
    WARM_UP_FLIPS,
    PsychopyScreen,
    WindowSettings,
    screen_size,
)
from stimgen.experiment.presentation.screen import PresentationScreen, RefreshMeasurement, Scene
from stimgen.experiment.schema.group_selection import select_folders, select_group
from stimgen.experiment.schema.monitor import MONITOR_FOLDER, Monitor, save_monitor
from stimgen.experiment.session.session import format_current_time
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Label
from stimgen.reading.shipped import EXPERIMENTS

DEFAULT_SECONDS = 10.0


@dataclass(frozen=True)
class DisplayCheckOptions:
    """Says how to measure and what to save; the attributes are the options of `stimgen display-check`."""

    stimuli: tuple[Path, ...] = ()
    seconds: float | None = None
    save: str | None = None
    replace: bool = False


@dataclass(frozen=True)
class DisplayCheckResult:
    """Holds what was measured: the screen, its refresh, the keyboard's software and the saved monitor."""

    seen: DisplayGeometry
    refresh: RefreshMeasurement
    keyboard: str
    file: Path | None = None

    @property
    def problem(self) -> str | None:
        """Return why durations on this screen are unreliable; None if they are reliable."""
        return self.refresh.problem(self.seen.declared_hz)

    @property
    def refresh_hz(self) -> float:
        """Return the rate of the saved monitor: the declared one if the measured one is near it."""
        measured, declared = self.refresh.hz, self.seen.declared_hz
        near = abs(measured / declared - 1) <= 0.01
        # If flips do not wait for the screen, the measured rate is not the screen's.
        waits = measured <= 1.5 * declared
        return declared if near or not waits else round(measured, 2)

    @property
    def failure(self) -> str | None:
        """Return why experiments refuse the saved monitor; None if they do not.

        A screen with another rate than the declared one is saved with its own, and that is no failure.
        """
        return self.refresh.problem(self.refresh_hz)

    def to_dict(self) -> dict[str, Any]:
        """Return the measurement as JSON values."""
        viewing, refresh = self.seen.viewing, self.refresh
        return {
            "resolution": list(self.seen.size),
            "width_cm": self.seen.width_cm,
            "distance_cm": None if viewing is None else viewing.distance_cm,
            "pixels_per_degree": None if viewing is None else viewing.pixels_per_degree,
            "declared_hz": self.seen.declared_hz,
            "measured_hz": round(refresh.hz, 4),
            "interval_sd_ms": round(refresh.interval_sd_ms, 4),
            "dropped": refresh.dropped,
            "frames": refresh.refreshes,
            "problem": self.problem,
            "keyboard_backend": self.keyboard,
            "failure": self.failure,
            "saved": None if self.file is None else str(self.file),
        }

    @property
    def measurement(self) -> str:
        """Return the measurement in two or three lines."""
        refresh, declared = self.refresh, self.seen.declared_hz
        lines = [
            self.seen.text(),
            f"{refresh.hz:.2f} Hz measured, {declared:g} Hz nominal; {refresh.dropped} of "
            f"{refresh.refreshes} refreshes missed; keyboard: {self.keyboard}",
            *([] if self.problem is None else [f"PROBLEM: {self.problem}"]),
        ]
        return "\n".join(lines)


def check_display(setup: DisplaySetup, options: DisplayCheckOptions) -> DisplayCheckResult:
    """Show the card, measure the refresh, and save the monitor if the options say so.

    Raises
    ------
    StimgenError
        There is no display or keyboard; the monitor's measures are missing, or it exists already; or a key
        was pressed during the measurement. Nothing was saved then.
    """
    setup, folders = _select_first_group(setup, options.stimuli)
    pool = None if setup.loaded is None else open_pool(setup.loaded, folders or None)
    seen = setup.find_geometry(screen_size)
    file = _find_monitor_file(seen, options)
    card = seen.make_card(pool)
    background = (card.background,) * 3
    screen = PsychopyScreen(
        WindowSettings(
            seen.size,
            seen.declared_hz,
            background,
            setup.screen,
            setup.windowed,
            gamma=setup.find_gamma(),
        )
    )
    try:
        keyboard = screen.open()["keyboard_backend"]
        seconds = options.seconds or DEFAULT_SECONDS
        measuring = f"{seen.text()}\nmeasuring the refresh rate for {seconds:g} s ..."
        found = DisplayCheckResult(
            seen, measure_refresh(screen, card.scene(measuring, labelled=False), seconds), keyboard, file
        )
        if file is not None:
            save_monitor(build_monitor(found), file)
        saved = "" if file is None else f"saved as {file.stem}{', but failed' if found.failure else ''}; "
        scene = card.scene(f"{found.measurement}\n{saved}press any key to close")
        _show_scene(screen, scene, stays=options.seconds is None)
    finally:
        screen.close()
    return found


def measure_refresh(screen: PresentationScreen, scene: Scene, seconds: float) -> RefreshMeasurement:
    """Return the refresh of a screen while it shows a scene for some seconds.

    Raises
    ------
    StimgenError
        A key was pressed during the measurement.
    """
    for _ in range(WARM_UP_FLIPS):
        screen.show(scene)
    screen.read_presses()
    times = [screen.show(scene)]
    while times[-1] - times[0] < seconds or len(times) < 3:
        times.append(screen.show(scene))
        if screen.read_presses():
            raise StimgenError(
                f"a key was pressed after {times[-1] - times[0]:.1f} s of {seconds:g}: nothing was measured",
                hint="wait until the measurement is over, or shorten it with --seconds",
            )
    return RefreshMeasurement.from_flip_times(times)


def build_monitor(found: DisplayCheckResult) -> Monitor:
    """Return the monitor that a measurement describes."""
    seen, refresh = found.seen, found.refresh
    return Monitor(
        resolution=seen.size,
        width_cm=seen.width_cm,
        distance_cm=None if seen.viewing is None else seen.viewing.distance_cm,
        refresh_hz=found.refresh_hz,
        measured_hz=round(refresh.hz, 4),
        dropped=refresh.dropped,
        frames=refresh.refreshes,
        linearised=seen.setup.table,
        measured=format_current_time(),
        problem=found.failure or "",
        gamma=seen.setup.find_gamma(),
    )


def _select_first_group(
    setup: DisplaySetup, folders: tuple[Path, ...]
) -> tuple[DisplaySetup, tuple[Path, ...]]:
    """Return the setup and the sets of an experiment's first group, which stands for all."""
    if setup.loaded is None or not setup.loaded.experiment.groups:
        return setup, folders
    name = next(iter(setup.loaded.experiment.groups))
    loaded = select_group(setup.loaded, name)
    return replace(setup, loaded=loaded), select_folders(setup.loaded, name, folders)


def _find_monitor_file(seen: DisplayGeometry, options: DisplayCheckOptions) -> Path | None:
    """Return the file of the monitor, after checking that everything it needs is known."""
    if options.save is None:
        return None
    try:
        TypeAdapter(Label).validate_python(options.save)
    except ValidationError:
        raise StimgenError(
            f"{options.save!r} is not a valid name of a monitor",
            hint="use letters, digits, full stops, hyphens and underscores",
        ) from None
    if seen.setup.windowed:
        raise StimgenError("a window does not measure the monitor: save it without --windowed")
    if seen.width_cm is None or seen.viewing is None or seen.viewing.distance_cm is None:
        raise StimgenError(
            "the monitor's width or its distance from the eyes is missing",
            hint="measure the visible area with a ruler, then add --width-cm 53.1 --distance-cm 57 or so",
        )
    file = _find_experiment_folder(seen.setup) / MONITOR_FOLDER / f"{options.save}.yaml"
    if file.exists() and not options.replace:
        raise StimgenError(
            "exists already", where=file, hint="replace it with --replace, or choose another name"
        )
    return file


def _find_experiment_folder(setup: DisplaySetup) -> Path:
    """Return the folder of a user's own experiment; otherwise the current folder."""
    own = setup.loaded is not None and setup.loaded.document.file not in EXPERIMENTS.files().values()
    return setup.loaded.folder if own and setup.loaded is not None else Path()


def _show_scene(screen: PresentationScreen, scene: Scene, *, stays: bool) -> None:
    screen.show(scene)
    screen.read_presses()
    while stays and not screen.read_presses():
        screen.show(scene)
