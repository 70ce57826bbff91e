"""Makes a movie of a synthesis beside its source from snapshots."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from stimgen.images.prepare import Pixels
from stimgen.images.write import Levels, as_image, quantise

SMALLEST = 192  # pixels of a picture's shorter side in the movie
GAP, CAPTION, LETTERS = 8, 22, 13
BACKGROUND, INK = (255, 255, 255), (40, 40, 40)
FRAME, REST = 80, 1500  # duration in milliseconds of a frame, and of the last one
FORMATS = {"gif": "GIF", "webp": "WEBP"}


class MovieFrame(NamedTuple):
    """Holds a snapshot and the caption below it."""

    levels: Levels
    caption: str


def encode_movie(source: Pixels, frames: Sequence[MovieFrame], title: str) -> dict[str, bytes]:
    """Return the movie's file in several formats, by their endings.

    The source is at the left. There is at least one frame; all are scaled to the source's size, or to a
    whole multiple of it if that is small.
    """
    height, width = source.shape[:2]
    times = -(-SMALLEST // min(height, width))
    size = width * times, height * times
    first, *others = [_draw_frame(quantise(source), frame, size, title) for frame in frames]
    found = {}
    for ending, kind in FORMATS.items():
        buffer = io.BytesIO()
        durations = [FRAME] * len(others) + [REST]
        first.save(buffer, kind, save_all=True, append_images=others, duration=durations, loop=0)
        found[ending] = buffer.getvalue()
    return found


def _draw_frame(source: Levels, frame: MovieFrame, size: tuple[int, int], title: str) -> Image.Image:
    width, height = size
    page = Image.new("RGB", (3 * GAP + 2 * width, height + 2 * CAPTION), BACKGROUND)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(LETTERS)
    draw.text((GAP, 3), title, fill=INK, font=font)
    for i, (levels, caption) in enumerate([(source, "source"), frame]):
        left = GAP + i * (width + GAP)
        page.paste(as_image(levels).convert("RGB").resize(size, Image.Resampling.NEAREST), (left, CAPTION))
        draw.text((left, CAPTION + height + 3), caption, fill=INK, font=font)
    return page
