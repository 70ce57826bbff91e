"""Computes where pictures are on the screen, in whole pixels."""

from __future__ import annotations

import math

from stimgen.experiment.design.paradigms.base import PicturePlace
from stimgen.experiment.design.trial import Box, ShownPicture
from stimgen.experiment.schema.display import DisplaySettings, SizeInDegrees
from stimgen.experiment.schema.viewing import ViewingGeometry

Size = tuple[int, int]


def size_on_screen(display: DisplaySettings, viewing: ViewingGeometry, crop: Size) -> Size:
    """Return the width and height on the screen of a part of a picture."""
    wanted = display.size
    if not isinstance(wanted, SizeInDegrees):
        return crop
    width = round(viewing.pixels_wide(wanted.degrees))
    return width, round(crop[1] * width / crop[0])


def top_left(viewing: ViewingGeometry, place: PicturePlace, size: Size) -> tuple[int, int]:
    """Return left and top of what is centred at a place, rounded half up to whole pixels."""
    x, y = viewing.point(place)
    width, height = viewing.resolution
    return math.floor(width / 2 + x - size[0] / 2 + 0.5), math.floor(height / 2 - y - size[1] / 2 + 0.5)


def position_on_screen(viewing: ViewingGeometry, place: PicturePlace, size: Size) -> tuple[float, float]:
    """Return the centre of what is at a place, in pixels from the screen's centre, as trials record it."""
    left, top = top_left(viewing, place, size)
    width, height = viewing.resolution
    return left + size[0] / 2 - width / 2, height / 2 - top - size[1] / 2


def box_on_screen(viewing: ViewingGeometry, shown: ShownPicture) -> Box:
    """Return the box of a picture on the screen."""
    width, height = viewing.resolution
    left = round(shown.position[0] + width / 2 - shown.size[0] / 2)
    top = round(height / 2 - shown.position[1] - shown.size[1] / 2)
    return left, top, *shown.size
