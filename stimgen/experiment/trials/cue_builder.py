"""Builds the marks of cues."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from stimgen.experiment.design.trial import CueMark
from stimgen.experiment.frames.overlays import fixation_diameter
from stimgen.experiment.frames.placing import Size, position_on_screen
from stimgen.experiment.schema.cues import CueSettings
from stimgen.experiment.schema.display import FixationMark
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry

Point = tuple[float, float]
LINE_WIDTH = 1 / 8
"""Width of a line as a share of its length."""


@dataclass(frozen=True)
class CueBuilder:
    """Builds the cues of trials."""

    cue: CueSettings
    fixation: FixationMark
    viewing: ViewingGeometry
    possible: tuple[Point, ...] = ()
    """Where the only picture of a trial may be, in pixels from the screen's centre; none for other trials."""

    @classmethod
    def from_experiment(
        cls, cue: CueSettings, experiment: Experiment, viewing: ViewingGeometry, size: Size
    ) -> CueBuilder:
        """Return what builds the cues to pictures of a size on the screen."""
        places = experiment.paradigm.possible_places
        possible = tuple(dict.fromkeys(position_on_screen(viewing, place, size) for place in places))
        return cls(cue, experiment.display.fixation, viewing, possible)

    def build(self, validity: str, positions: Iterable[Point]) -> tuple[CueMark, ...]:
        """Return the marks of a cue to pictures at these positions; no two are at one place."""
        places = list(dict.fromkeys(positions))
        others = [self.find_other(place) for place in places]
        everywhere = self.possible if len(self.possible) > 1 else (*places, *others)
        marked = {"valid": places, "invalid": others, "neutral": everywhere}[validity]
        return tuple(self._build_mark(place) for place in dict.fromkeys(marked))

    def find_other(self, place: Point) -> Point:
        """Return where an invalid cue to a place is.

        It is the possible place that is nearest to the opposite one across fixation, or else that one itself.
        """
        opposite = (-place[0], -place[1])
        left = [one for one in self.possible if one != place]
        return min(left, key=lambda one: math.dist(one, opposite)) if left else opposite

    def _build_mark(self, place: Point) -> CueMark:
        size = self.viewing.pixels_wide(self.cue.degrees)
        if self.cue.mark != "line":
            return CueMark(shape=self.cue.mark, ends=(*place, *place), width=max(3, round(size)))
        across, width = self.viewing.pixels_wide(self.fixation.degrees), max(2, round(size * LINE_WIDTH))
        x, y = (along / math.hypot(*place) for along in place)
        # The line keeps clear of the fixation mark by that mark's width.
        near = fixation_diameter(self.fixation, across, self.viewing.resolution) + width
        far = near + size
        ends = (round(x * near, 2), round(y * near, 2), round(x * far, 2), round(y * far, 2))
        return CueMark(shape="line", ends=ends, width=width)
