"""A picture of the whole set: one row a source and condition, the original first."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import Content
from stimgen.stimulus_set.store import Store

TILE = 128
GAP = 6
CAPTION = 16
BACKGROUND, INK = (255, 255, 255), (40, 40, 40)
MOST_ROWS, MOST_COLUMNS = 24, 9


def contact_sheet(store: Store) -> Image.Image:
    """Return a sheet of originals and stimuli, at most 24 rows of 9 pictures.

    Raises
    ------
    StimgenError
        The set has no finished stimulus, or a picture cannot be read.
    """
    rows: dict[tuple[str, str], list[Content]] = {}
    for record in store.records():
        content = record.content
        row = rows.setdefault((content.source.original.file, content.condition), [])
        if len(row) < MOST_COLUMNS - 1:
            row.append(content)
        if len(rows) > MOST_ROWS:
            rows.popitem()
            break
    if not rows:
        raise StimgenError("no stimulus is finished yet", where=store.folder)
    ordered = sorted(rows.values(), key=lambda row: row[0].source.id)
    width = GAP + max(len(row) + 1 for row in ordered) * (TILE + GAP)
    sheet = Image.new("RGB", (width, GAP + len(ordered) * (TILE + CAPTION + GAP)), BACKGROUND)
    for i, row in enumerate(ordered):
        _draw_row(sheet, store, row, GAP + i * (TILE + CAPTION + GAP))
    return sheet


def _draw_row(sheet: Image.Image, store: Store, row: list[Content], top: int) -> None:
    first = row[0]
    tiles = [(first.source.original.file, f"{first.source.id}, original")]
    tiles += [(content.file, f"{content.condition}, seed {content.seed}") for content in row]
    font = ImageFont.load_default(11)
    draw = ImageDraw.Draw(sheet)
    for i, (file, caption) in enumerate(tiles):
        left = GAP + i * (TILE + GAP)
        picture = thumbnail(store, file, TILE)
        sheet.paste(picture, (left + (TILE - picture.width) // 2, top + (TILE - picture.height) // 2))
        draw.text((left, top + TILE + 1), caption[:24], fill=INK, font=font)


def thumbnail(store: Store, file: str, side: int) -> Image.Image:
    """Return a picture of the set, shrunk to fit into `side` pixels, in RGB.

    Raises
    ------
    StimgenError
        The picture cannot be read.
    """
    path = store.path(file)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.thumbnail((side, side), Image.Resampling.LANCZOS)
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise StimgenError(f"not a readable PNG picture ({error})", where=path) from None
