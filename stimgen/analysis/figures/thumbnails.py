"""Puts small pictures of stimuli beside the axes of figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from stimgen.analysis.figures.subject import MapPictures

PICTURE_POINTS = 26
"""Length of a picture's longer side in points."""


def place_sources(panel: Any, names: list[str], pictures: MapPictures) -> None:
    """Put the photographs of sources, at 0, 1, ... upwards or downwards, between their names and the axis."""
    if not pictures.sources:
        return
    panel.tick_params(axis="y", pad=PICTURE_POINTS + 8)
    for i, name in enumerate(names):
        if name in pictures.sources:
            place_picture(panel, pictures.sources[name], (0, i), (-4, 0), ("axes fraction", "data"))


def place_picture(
    panel: Any, picture: Any, where: tuple[float, float], beside: tuple[float, float], units: tuple[str, str]
) -> None:
    """Put a picture at a distance in points from a place, whose coordinates have the units of matplotlib."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    image = OffsetImage(np.asarray(picture.convert("RGB")), zoom=PICTURE_POINTS / max(picture.size))
    align = (1.0, 0.5) if beside[0] else (0.5, 0.0)
    box = AnnotationBbox(
        image, where, beside, units, boxcoords="offset points", frameon=False, pad=0, box_alignment=align
    )
    panel.add_artist(box)
