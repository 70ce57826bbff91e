"""Draws regions over a picture: tints, borders, numbers and the fixation point."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stimgen.images.prepare import Pixels
from stimgen.images.write import as_image, quantise

# Small pictures are enlarged until their longer side has about this many pixels.
LONGER_SIDE = 768
TINT, PALER = 0.2, 0.2
STRIP, MARGIN, TEXT = 22, 6, 13
DARK, LIGHT, RED = (20, 20, 20), (255, 255, 255), (220, 20, 30)

# Height of numbers: a fraction of the side of a square with the region's area, but at least readable.
NUMBER, SMALLEST_NUMBER, LARGEST_NUMBER = 0.4, 9, 26
GOLDEN = (5**0.5 - 1) / 2

Labels = NDArray[np.int64]
Colours = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Holds what is drawn over a picture."""

    labels: Labels
    """Height x width: the region of every pixel, from 0."""
    fixation: tuple[float, float] | None
    """Fixation point: x and y as fractions of width and height."""
    caption: str
    """Text below the picture."""


def overlay_regions(pixels: Pixels, regions: RegionMap) -> Image.Image:
    """Return a picture, with range [0, 1], with regions of the same height and width."""
    scale = max(1, round(LONGER_SIDE / max(regions.labels.shape)))
    labels = regions.labels.repeat(scale, 0).repeat(scale, 1)
    image = as_image(quantise(pixels)).convert("RGB").resize(labels.shape[::-1], Image.Resampling.BICUBIC)
    colours = _tint_regions(np.asarray(image, dtype=np.float64) / 255, labels)
    border = _find_borders(labels)
    colours[_dilate(border)] = np.array(DARK) / 255
    colours[border] = 1.0
    image = Image.fromarray(np.rint(colours * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    _draw_numbers(draw, labels)
    if regions.fixation is not None:
        _draw_fixation(draw, image.size, regions.fixation)
    return _add_caption(image, regions.caption)


def _tint_regions(colours: Colours, labels: Labels) -> Colours:
    """Make the picture paler and tint every region with a colour that differs from its neighbours'."""
    hues = [colorsys.hsv_to_rgb(i * GOLDEN % 1.0, 1.0, 1.0) for i in range(int(labels.max()) + 1)]
    pale: Colours = PALER + (1 - PALER) * colours
    tinted: Colours = (1 - TINT) * pale + TINT * np.array(hues)[labels]
    return tinted


def _find_borders(labels: Labels) -> NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour belongs to another region."""
    found = np.zeros(labels.shape, dtype=bool)
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    found[:-1] |= labels[:-1] != labels[1:]
    return found


def _dilate(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the eight neighbours of each of its pixels to the mask."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    shifted = [padded[i : i + height, j : j + width] for i, j in product(range(3), repeat=2)]
    widened: NDArray[np.bool_] = np.any(shifted, axis=0)
    return widened


def _draw_numbers(draw: ImageDraw.ImageDraw, labels: Labels) -> None:
    """Write the number, counted from 1, of every region that is large enough."""
    areas = np.bincount(labels.ravel())
    for region in np.flatnonzero(areas):
        height = NUMBER * areas[region] ** 0.5
        if height < SMALLEST_NUMBER:
            continue
        x, y = _find_middle(labels == region)
        font = ImageFont.load_default(min(height, LARGEST_NUMBER))
        draw.text((x, y), str(region + 1), LIGHT, font, "mm", stroke_fill=DARK, stroke_width=2)


def _find_middle(inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return column and row of the region's pixel that is nearest to its centre of gravity."""
    rows, columns = np.nonzero(inside)
    distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = int(distance.argmin())
    return int(columns[nearest]), int(rows[nearest])


def _draw_fixation(draw: ImageDraw.ImageDraw, size: tuple[int, int], fixation: tuple[float, float]) -> None:
    """Mark the fixation point with a cross, or with an arrow at the border if it is outside."""
    x, y = fixation[0] * size[0], fixation[1] * size[1]
    if 0 <= x <= size[0] and 0 <= y <= size[1]:
        for colour, width, arm in ((LIGHT, 5, 11), (RED, 3, 10)):
            draw.line((x - arm, y, x + arm, y), fill=colour, width=width)
            draw.line((x, y - arm, x, y + arm), fill=colour, width=width)
        return
    tip = np.clip([x, y], 4, np.array(size) - 5)
    towards = np.array([x, y]) - np.array(size) / 2
    towards = towards / np.hypot(*towards)
    across = np.array([-towards[1], towards[0]])
    corners = [tip, tip - 26 * towards + 11 * across, tip - 26 * towards - 11 * across]
    draw.polygon([tuple(map(float, corner)) for corner in corners], fill=RED, outline=LIGHT, width=2)


def _add_caption(image: Image.Image, caption: str) -> Image.Image:
    sheet = Image.new("RGB", (image.width, image.height + STRIP), LIGHT)
    sheet.paste(image)
    font = ImageFont.load_default(TEXT)
    ImageDraw.Draw(sheet).text((MARGIN, image.height + 3), caption, fill=DARK, font=font)
    return sheet
