"""Draws many pictures on one sheet, each with its name."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw, ImageFont

TILE, GAP, CAPTION = 96, 6, 14
BACKGROUND, INK, PROBLEM = (255, 255, 255), (40, 40, 40), (225, 225, 225)
LARGEST = 12_000  # pixels of the sheet's height, beyond which pictures are left out


class PictureSheet:
    """Collects small pictures; only the sheet itself is in memory."""

    def __init__(self, count: int) -> None:
        self._columns = max(1, min(count, max(8, math.ceil(math.sqrt(count)))))
        rows = min(math.ceil(count / self._columns), LARGEST // (TILE + CAPTION + GAP))
        width = GAP + self._columns * (TILE + GAP)
        self._places = rows * self._columns
        self._sheet = Image.new("RGB", (width, GAP + rows * (TILE + CAPTION + GAP)), BACKGROUND)
        self._draw = ImageDraw.Draw(self._sheet)
        self._font = ImageFont.load_default(10)

    def add(self, i: int, thumbnail: bytes, name: str) -> None:
        """Draw the i-th picture, `TILE` pixels wide and high; a grey field if there is none."""
        if i >= self._places:
            return
        left = GAP + i % self._columns * (TILE + GAP)
        top = GAP + i // self._columns * (TILE + CAPTION + GAP)
        if thumbnail:
            self._sheet.paste(Image.frombytes("RGB", (TILE, TILE), thumbnail), (left, top))
        else:
            self._draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), fill=PROBLEM)
        self._draw.text((left, top + TILE), self._shorten(name), fill=INK, font=self._font)

    def encode(self) -> bytes:
        """Return the sheet as a PNG file."""
        buffer = io.BytesIO()
        self._sheet.save(buffer, format="PNG")
        return buffer.getvalue()

    def _shorten(self, name: str) -> str:
        if self._font.getlength(name) <= TILE:
            return name
        kept = len(name)
        while kept and self._font.getlength(name[:kept] + "...") > TILE:
            kept -= 1
        return name[:kept] + "..."
