"""Combines what the user and the experiment say about a display, and chooses the test card for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stimgen.experiment.design.paradigms.oddity import Oddity
from stimgen.experiment.design.trial import Box
from stimgen.experiment.display_check.card import DisplayTestCard
from stimgen.experiment.frames.placing import size_on_screen, top_left
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.display import DisplaySettings, FixationMark
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.monitor import find_gamma
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing, compute_viewing_from_cm
from stimgen.experiment.trials.checks import find_shown_size, list_arrangements

DEFAULT_HZ = 60.0
DEFAULT_DEGREES = 4.0
"""Side of the pictures that are outlined if there is no experiment."""


@dataclass(frozen=True)
class DisplaySetup:
    """Holds what the user says about a display; it takes precedence over what an experiment says."""

    loaded: LoadedExperiment | None = None
    """The experiment that will be shown on the display."""
    width_cm: float | None = None
    """Width of the area that shows pixels."""
    distance_cm: float | None = None
    """From the eye to the screen."""
    declared_hz: float | None = None
    linearised: str | None = None
    """Date, YYYY-MM-DD, of the table that makes light proportional to numbers."""
    screen_number: int | None = None
    windowed: bool = False

    @property
    def display(self) -> DisplaySettings | None:
        """Return the experiment's display settings."""
        return None if self.loaded is None else self.loaded.experiment.display

    @property
    def screen(self) -> int:
        """Return the number of the computer's screen, from 0."""
        if self.screen_number is not None:
            return self.screen_number
        return 0 if self.display is None else self.display.screen

    @property
    def table(self) -> str | None:
        """Date of the table that makes light proportional to numbers, or None if there is none."""
        return self.linearised or (None if self.display is None else self.display.table)

    def find_gamma(self) -> tuple[float, ...] | None:
        """Return the exponents of the experiment's monitor; None if the user says everything anew.

        Raises `StimgenError` if the experiment's monitor is not known.
        """
        if self.loaded is None or self.linearised is not None or self._says_all:
            return None
        with self.loaded.at("display"):
            return find_gamma(self.loaded.experiment.display, self.loaded.folder)

    @property
    def _says_all(self) -> bool:
        return self.width_cm is not None and self.distance_cm is not None

    def find_geometry(self, actual: Callable[[int], tuple[int, int]]) -> DisplayGeometry:
        """Return the setup with its lengths.

        `actual` returns the width and height in pixels of a screen by its number; it is called if nothing
        declares them. Raises `StimgenError` if the experiment's monitor is not known.
        """
        viewing, display = self._experiment_viewing(), self.display
        size = (display.resolution if display else None) or (viewing.resolution if viewing else None)
        size = size or actual(self.screen)
        width = self.width_cm or (viewing.width_cm if viewing else None)
        distance = self.distance_cm or (viewing.distance_cm if viewing else None)
        hz = self.declared_hz or (viewing.refresh_hz if viewing else None)
        hz = hz or (display.refresh_hz if display else DEFAULT_HZ)
        if width is not None and distance is not None:
            viewing = compute_viewing_from_cm(size, width, distance, hz)
        return DisplayGeometry(self, size, hz, width, viewing)

    def _experiment_viewing(self) -> ViewingGeometry | None:
        """Return the experiment's viewing geometry, unless the user says everything anew."""
        if self.loaded is None or self._says_all:
            return None
        with self.loaded.at("display"):
            return compute_viewing(self.loaded.experiment.display, self.loaded.folder)


@dataclass(frozen=True)
class DisplayGeometry:
    """Holds a display setup with its lengths."""

    setup: DisplaySetup
    size: tuple[int, int]
    """Width and height of the screen in pixels."""
    declared_hz: float
    width_cm: float | None
    """None if it is not known."""
    viewing: ViewingGeometry | None
    """None if degrees are not known."""

    def make_card(self, pool: PicturePool | None) -> DisplayTestCard:
        """Return the test card; `pool` are the experiment's pictures, if there is an experiment."""
        display = self.setup.display
        return DisplayTestCard(
            size=self.size,
            background=128 if display is None else round(255 * display.background),
            encoding="srgb" if self.setup.table is None else "linear",
            viewing=self.viewing,
            width_cm=self.width_cm,
            places=()
            if self.viewing is None
            else tuple(dict.fromkeys(self._picture_boxes(self.viewing, pool))),
            fixation=FixationMark() if display is None else display.fixation,
            photodiode=None if display is None else display.photodiode,
        )

    def text(self) -> str:
        """Return a description in one line."""
        width, height = self.size
        found = [f"{width} x {height} pixels"]
        if self.width_cm is not None:
            found.append(f"{self.width_cm:g} cm wide")
        if self.viewing is not None and self.viewing.distance_cm is not None:
            found.append(f"at {self.viewing.distance_cm:g} cm")
        if self.viewing is not None:
            found.append(f"{self.viewing.pixels_per_degree:.2f} pixels per degree")
        table = self.setup.table
        return ", ".join([*found, "sRGB" if table is None else f"linearised on {table}"])

    def _picture_boxes(self, viewing: ViewingGeometry, pool: PicturePool | None) -> Iterator[Box]:
        if self.setup.loaded is None or pool is None:
            side = round(viewing.pixels_wide(DEFAULT_DEGREES))
            for place in Oddity().places_at(5.0):
                yield (*top_left(viewing, place, (side, side)), side, side)
            return
        experiment = self.setup.loaded.experiment
        size = size_on_screen(experiment.display, viewing, find_shown_size(experiment, pool))
        for arrangement in list_arrangements(experiment, pool):
            for item in (item for interval in arrangement.intervals for item in interval):
                yield (*top_left(viewing, item.place, size), *size)
