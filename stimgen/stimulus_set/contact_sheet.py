"""Draws a picture of the whole set: one row per source, with the original first."""

from __future__ import annotations

import io
from collections.abc import Iterable
from textwrap import wrap
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont
from pydantic import JsonValue

from stimgen.images.write import open_png, to_srgb_image
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import SHEET, Store

TILE = 128
GAP = 6
CAPTION_HEIGHT = 16
LETTER_WIDTH = 6  # mean width of the caption's letters, in pixels
BACKGROUND, INK = (255, 255, 255), (40, 40, 40)
MAX_ROWS, USUAL_COLUMNS, MAX_COLUMNS = 24, 9, 25


class SheetTile(NamedTuple):
    """Names a picture that the sheet may show."""

    original: str
    """File of its source as the model saw it."""
    source: str
    condition: str
    seed: int
    file: str

    @classmethod
    def of(cls, content: RecordContent) -> SheetTile:
        """Return the tile of a stimulus."""
        source = content.source
        return cls(source.original.file, source.id, content.condition, content.seed, content.file)


class SheetSample:
    """Chooses which pictures of a set the sheet shows: samples of every condition, for the first sources."""

    def __init__(self, tiles: Iterable[SheetTile] = ()) -> None:
        self._conditions: set[str] = set()
        self._rows: dict[str, dict[str, list[SheetTile]]] = {}
        for tile in tiles:
            self.add(tile)

    def add(self, tile: SheetTile) -> None:
        """Look at the next stimulus of the set."""
        self._conditions.add(tile.condition)
        if tile.original in self._rows or len(self._rows) < MAX_ROWS:
            found = self._rows.setdefault(tile.original, {}).setdefault(tile.condition, [])
            if len(found) < MAX_COLUMNS - 1:  # how many there is room for shows only at the end
                found.append(tile)

    @property
    def rows(self) -> list[list[SheetTile]]:
        """Return, for every source, as many stimuli of every condition as fit, but at least one."""
        each = max(1, (USUAL_COLUMNS - 1) // max(1, len(self._conditions)))
        return [
            [tile for group in row.values() for tile in group[:each]][: MAX_COLUMNS - 1]
            for row in self._rows.values()
        ]


def draw_contact_sheet(store: Store, sample: SheetSample | None = None) -> Image.Image:
    """Return a sheet with one row per source, at most 24: its original, and samples of every condition.

    Without a `sample`, all records are read for it. Raises `StimgenError` where the set has no finished
    stimulus, or a picture cannot be read.
    """
    if sample is None:
        sample = SheetSample(SheetTile.of(record.content) for record in store.read_records())
    rows = sample.rows
    if not rows:
        raise StimgenError("no stimulus is finished yet", where=store.folder)
    width = GAP + max(len(row) + 1 for row in rows) * (TILE + GAP)
    below = _describe_changes(store.read_plan().protocol, width // LETTER_WIDTH)
    bottom = GAP + len(rows) * (TILE + CAPTION_HEIGHT + GAP)
    sheet = Image.new("RGB", (width, bottom + len(below) * CAPTION_HEIGHT), BACKGROUND)
    for i, row in enumerate(rows):
        _draw_row(sheet, store, row, GAP + i * (TILE + CAPTION_HEIGHT + GAP))
    font = ImageFont.load_default(11)
    for i, text in enumerate(below):
        ImageDraw.Draw(sheet).text((GAP, bottom + i * CAPTION_HEIGHT), text, fill=INK, font=font)
    return sheet


def write_contact_sheet(store: Store, sample: SheetSample | None = None) -> None:
    """Draw the contact sheet of a set into the set, as `draw_contact_sheet` does."""
    buffer = io.BytesIO()
    draw_contact_sheet(store, sample).save(buffer, format="PNG")
    store.update(SHEET, buffer.getvalue())


def _describe_changes(protocol: dict[str, JsonValue], letters: int) -> list[str]:
    """Return lines about what ``--network``, ``--weights`` and ``--quick`` changed of a protocol."""
    substitution, quick = protocol.get("substitution"), protocol.get("changes")
    network = substitution.get("changes") if isinstance(substitution, dict) else None
    told = {"Network": network, "Quick, not the protocol itself": quick}
    lines = [
        f"{what}: {'; '.join(map(str, changes))}"
        for what, changes in told.items()
        if isinstance(changes, list)
    ]
    return [part for line in lines for part in wrap(line, letters)]


def _draw_row(sheet: Image.Image, store: Store, row: list[SheetTile], top: int) -> None:
    first = row[0]
    tiles = [(first.original, first.source, ", original")]
    tiles += [(tile.file, tile.condition, f", seed {tile.seed}") for tile in row]
    font = ImageFont.load_default(11)
    draw = ImageDraw.Draw(sheet)
    for i, (file, name, rest) in enumerate(tiles):
        left = GAP + i * (TILE + GAP)
        picture = read_thumbnail(store, file, TILE)
        sheet.paste(picture, (left + (TILE - picture.width) // 2, top + (TILE - picture.height) // 2))
        draw.text((left, top + TILE + 1), _shorten_caption(name, rest), fill=INK, font=font)


def _shorten_caption(name: str, rest: str) -> str:
    """Return a caption whose name is cut so that it does not run into the next tile."""
    font = ImageFont.load_default(11)
    captions = [name + rest, *(f"{name[:length]}...{rest}" for length in range(len(name) - 1, -1, -1))]
    return next((caption for caption in captions if font.getlength(caption) <= TILE), rest)


def read_thumbnail(store: Store, file: str, side: int) -> Image.Image:
    """Return a picture of the set, shrunk to fit into `side` pixels, in RGB."""
    path = store.path(file)
    with store.open_for_reading(file) as stream, open_png(stream, path) as image:
        picture = to_srgb_image(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture
