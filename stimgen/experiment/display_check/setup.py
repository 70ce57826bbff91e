"""A room that is being set up: what is said of it, and the card that suits it."""

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
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing, compute_viewing_from_cm
from stimgen.experiment.trials.checks import find_shown_size, list_arrangements

DEFAULT_HZ = 60.0
DEFAULT_DEGREES = 4.0
"""Side of the pictures whose places are shown where there is no experiment."""


@dataclass(frozen=True)
class DisplaySetup:
    """What is said of a room; it goes before what an experiment says.

    Attributes
    ----------
    loaded : LoadedExperiment or None
        The experiment that is to be shown there.
    width_cm, distance_cm : float or None
        Of what shows pixels; from the eye to the screen.
    declared_hz : float or None
        The refresh rate.
    linearised : str or None
        Date of the table that makes light proportional to numbers: YYYY-MM-DD.
    screen_number : int or None
        Which of the computer's screens.
    windowed : bool
        In a window, to try things.
    """

    loaded: LoadedExperiment | None = None
    width_cm: float | None = None
    distance_cm: float | None = None
    declared_hz: float | None = None
    linearised: str | None = None
    screen_number: int | None = None
    windowed: bool = False

    @property
    def display(self) -> DisplaySettings | None:
        """What the experiment says of the screen."""
        return None if self.loaded is None else self.loaded.experiment.display

    @property
    def screen(self) -> int:
        """Which of the computer's screens."""
        said = None if self.display is None else self.display.screen
        return self.screen_number if self.screen_number is not None else said or 0

    @property
    def table(self) -> str | None:
        """Date of the table that makes light proportional to numbers; None where there is none."""
        said = None if self.display is None else self.display.table
        return self.linearised or said

    def find_geometry(self, actual: Callable[[int], tuple[int, int]]) -> DisplayGeometry:
        """Return it with lengths.

        Parameters
        ----------
        actual : callable
            From the number of a screen to its width and height in pixels; asked for where nobody says them.

        Raises
        ------
        StimgenError
            The experiment's monitor is not known.
        """
        said = self._experiment_viewing()
        size = (self.display.resolution if self.display else None) or (said.resolution if said else None)
        size = size or actual(self.screen)
        width = self.width_cm or (said.width_cm if said else None)
        distance = self.distance_cm or (said.distance_cm if said else None)
        hz = self.declared_hz or (said.refresh_hz if said else None)
        hz = hz or (self.display.refresh_hz if self.display else DEFAULT_HZ)
        if width is not None and distance is not None:
            said = compute_viewing_from_cm(size, width, distance, hz)
        return DisplayGeometry(self, size, hz, width, said)

    def _experiment_viewing(self) -> ViewingGeometry | None:
        """Return where things are seen as the experiment says; it is not asked where all is said anew."""
        if self.loaded is None or (self.width_cm is not None and self.distance_cm is not None):
            return None
        with self.loaded.at("display"):
            return compute_viewing(self.loaded.experiment.display, self.loaded.folder)


@dataclass(frozen=True)
class DisplayGeometry:
    """A room with lengths.

    Attributes
    ----------
    setup : DisplaySetup
        What is said.
    size : tuple of int
        Of the screen, in pixels.
    declared_hz : float
        The refresh rate.
    width_cm : float or None
        Of the screen; None where it is not known.
    viewing : ViewingGeometry or None
        Where degrees are; None where it is not known.
    """

    setup: DisplaySetup
    size: tuple[int, int]
    declared_hz: float
    width_cm: float | None
    viewing: ViewingGeometry | None

    def make_card(self, pool: PicturePool | None) -> DisplayTestCard:
        """Return the card.

        Parameters
        ----------
        pool : PicturePool or None
            The experiment's pictures, where there is an experiment.
        """
        display = self.setup.display
        return DisplayTestCard(
            size=self.size,
            background=128 if display is None else round(255 * display.background),
            encoding="srgb" if self.setup.table is None else "linear",
            viewing=self.viewing,
            width_cm=self.width_cm,
            places=() if self.viewing is None else tuple(dict.fromkeys(self._places(self.viewing, pool))),
            fixation=FixationMark() if display is None else display.fixation,
            photodiode=None if display is None else display.photodiode,
        )

    def text(self) -> str:
        """Return it in a line."""
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

    def _places(self, viewing: ViewingGeometry, pool: PicturePool | None) -> Iterator[Box]:
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
