"""Builds the marks of cues."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stimgen.experiment.design.trial import CueMark
from stimgen.experiment.frames.overlays import fixation_diameter
from stimgen.experiment.schema.cues import CueSettings
from stimgen.experiment.schema.display import FixationMark
from stimgen.experiment.schema.viewing import ViewingGeometry

Point = tuple[float, float]
LINE_WIDTH = 1 / 8
"""Width of a line as a share of its length."""


def build_marks(
    cue: CueSettings,
    validity: str,
    positions: Iterable[Point],
    fixation: FixationMark,
    viewing: ViewingGeometry,
) -> tuple[CueMark, ...]:
    """Return the marks of a cue to pictures at these positions; no two are at one place."""
    places = list(dict.fromkeys(positions))
    opposite = [(-x, -y) for x, y in places]
    marked = {"valid": places, "invalid": opposite, "neutral": [*places, *opposite]}[validity]
    inner = fixation_diameter(fixation, viewing.pixels_wide(fixation.degrees), viewing.resolution)
    return tuple(_build_mark(cue, place, float(inner), viewing) for place in dict.fromkeys(marked))


def _build_mark(cue: CueSettings, place: Point, inner: float, viewing: ViewingGeometry) -> CueMark:
    size = viewing.pixels_wide(cue.degrees)
    if cue.mark != "line":
        return CueMark(shape=cue.mark, ends=(*place, *place), width=max(3, round(size)))
    width = max(2, round(size * LINE_WIDTH))
    x, y = (along / math.hypot(*place) for along in place)
    # The line keeps clear of the fixation mark by that mark's width.
    near, far = inner + width, inner + width + size
    ends = (round(x * near, 2), round(y * near, 2), round(x * far, 2), round(y * far, 2))
    return CueMark(shape="line", ends=ends, width=width)
