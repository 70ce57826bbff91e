"""Holds what figures must know about the data beside the tables of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stimgen.sensitivity import DecisionModel

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]
"""Tables of results by name; see `stimgen.analysis.results`."""


@dataclass(frozen=True)
class MapPictures:
    """Holds pictures of the stimuli, as Pillow images in sRGB."""

    sources: Mapping[str, Any] = field(default_factory=dict)
    """The photographs by the names of sources."""
    stimuli: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    """A stimulus of each source and condition."""


@dataclass(frozen=True)
class FigureSubject:
    """Describes the data that tables of results were computed from."""

    factors: tuple[str, ...] = ()
    """The independent variables, in the order of tables."""
    chance: float | None = None
    model: DecisionModel | None = None
    level: str = "level"
    """Name of the ordered variable of psychometric functions."""
    confidence: float = 0.95
    is_person: bool = True
    """Whether people answered, and no computed observer."""
    pictures: MapPictures = field(default_factory=MapPictures)

    def count_participants(self, count: int) -> str:
        """Return a number of participants in words, which tell computed observers from people."""
        kind = "participant" if self.is_person else "simulated observer"
        return f"{count} {kind}{'' if count == 1 else 's'}"

    @property
    def percent(self) -> str:
        """Return the confidence of intervals as a text, such as ``95 %``."""
        return f"{100 * self.confidence:g} %"


@dataclass(frozen=True)
class ResultFigure:
    """Holds a figure with its caption."""

    figure: Any
    """A `matplotlib.figure.Figure`."""
    title: str
    caption: str


DrawFunction = Callable[[Tables, FigureSubject], "ResultFigure | None"]
"""Draws a figure from tables of results; None where they have nothing to draw."""
