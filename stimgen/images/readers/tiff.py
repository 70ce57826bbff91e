"""Reads TIFF files with all their bits: what Pillow would shorten to 8 bits is read with tifffile."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from PIL import Image, ImageOps
from typing_extensions import override

from stimgen.images.declared_colour import DeclaredColour
from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    check_pixel_count,
    turn_upright,
)
from stimgen.images.readers.iso_media import scale_to_16_bits
from stimgen.images.readers.pillow_picture import describe_image, read_image
from stimgen.reading.errors import StimgenError

if TYPE_CHECKING:
    import tifffile

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION, ICC_PROFILE, DNG_VERSION, REDUCED = 274, 34675, 50706, 1
WHITE_IS_ZERO = "MINISWHITE"
SPACES: dict[str, Literal["grey", "rgb"]] = {"MINISBLACK": "grey", "MINISWHITE": "grey", "RGB": "rgb"}
RAW_HINT = "develop it, and save it as PNG or TIFF"


class TiffReader(PictureReader):
    """Reads TIFF files of 1 to 64 bits, with any compression that imagecodecs knows."""

    name: Literal["tiff"] = "tiff"

    formats: ClassVar[tuple[str, ...]] = ("TIFF",)
    endings: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    @override
    def recognises(self, data: bytes) -> bool:
        return data.startswith(STARTS)

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        with _open_page(picture) as (page, frames, place):
            if page is not None and _is_deep(page):
                return _describe_page(page, frames)
        with _open_with_pillow(picture, place) as image:
            # Only some versions of Pillow rotate the pictures of TIFF files by themselves.
            image.load()
            width, height = ImageOps.exif_transpose(image).size
            found = describe_image(image)
        return PictureHeader(width, height, found.space, found.depth, frames, found.colour)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        with _open_page(picture) as (page, _, place):
            if page is not None and _is_deep(page):
                return _read_page(page)
        with _open_with_pillow(picture, place) as image:
            return read_image(image)


@contextmanager
def _open_page(picture: EncodedPicture) -> Iterator[tuple[tifffile.TiffPage | None, int, int]]:
    """Yield the wanted page, the number of pages, and the page's place among all images of the file.

    Smaller versions of a page, which microscopes and cameras add, are no pages. The page is None where only
    Pillow can read the file.
    """
    import tifffile

    try:
        opened = tifffile.TiffFile(io.BytesIO(picture.data))
        pages: list[Any] = [page.aspage() for page in opened.pages]
    except Exception:  # damaged, which Pillow will say, or of a kind that only Pillow understands
        yield None, 1, 0
        return
    with opened:
        places = [i for i, page in enumerate(pages) if i == 0 or not page.subfiletype & REDUCED]
        if not places:
            raise StimgenError("has no pictures")
        _refuse_raw(pages[0], picture.data)
        place = places[min(picture.index, len(places) - 1)]
        _refuse_stack(opened, places)
        _refuse_large(pages[place])
        yield pages[place], len(places), place


def _refuse_raw(page: tifffile.TiffPage, data: bytes) -> None:
    """Refuse the raw files of cameras, in which the first image is a small preview."""
    is_preview = bool(page.subfiletype & REDUCED) and 330 in page.tags
    if DNG_VERSION in page.tags or data[8:10] == b"CR" or is_preview:
        raise StimgenError("is a camera's raw file", hint=RAW_HINT)


def _refuse_large(page: tifffile.TiffPage) -> None:
    """Refuse pages and tiles for which a decoder would need too much memory."""
    check_pixel_count(page.imagewidth, page.imagelength, page.samplesperpixel)
    if page.is_tiled:
        check_pixel_count(page.tilewidth, page.tilelength, page.samplesperpixel)
    if page.imagedepth != 1 or page.tiledepth not in (0, 1):
        raise StimgenError("is a volume, not a picture")


def _refuse_stack(opened: tifffile.TiffFile, places: list[int]) -> None:
    """Refuse stacks that ImageJ wrote with one header for all pictures."""
    count = int((opened.imagej_metadata or {}).get("images", 1))
    if count > len(places):
        raise StimgenError(
            f"is an ImageJ stack of {count} pictures with one header",
            hint="save its pictures as single files",
        )


def _open_with_pillow(picture: EncodedPicture, place: int) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data), formats=("TIFF",))
    check_pixel_count(*image.size)
    if place:
        image.seek(place)
    return image


def _is_deep(page: tifffile.TiffPage) -> bool:
    """Return whether Pillow would lose bits or signs, or cannot read the page."""
    if page.dtype is None or (page.bitspersample <= 8 and page.dtype.kind in "ub"):
        return False
    is_grey_16 = page.samplesperpixel == 1 and page.dtype == np.uint16 and page.bitspersample == 16
    return not is_grey_16 or _find_photometric(page) == WHITE_IS_ZERO


def _find_photometric(page: tifffile.TiffPage) -> str:
    return getattr(page.photometric, "name", str(page.photometric))


def _describe_page(page: tifffile.TiffPage, frames: int) -> PictureHeader:
    photometric = _find_photometric(page)
    if photometric not in SPACES or (photometric == WHITE_IS_ZERO and page.dtype != np.uint16):
        raise StimgenError(
            f"its colours ({photometric}, {page.bitspersample} bits) cannot be converted",
            hint="save it as RGB or grey",
        )
    space = SPACES[photometric]
    if page.samplesperpixel not in ((1, 2) if space == "grey" else (3, 4)):
        raise StimgenError(f"has {page.samplesperpixel} channels: grey has 1, RGB 3")
    width, height = page.imagewidth, page.imagelength
    if _find_orientation(page) in (5, 6, 7, 8):
        width, height = height, width
    profile = page.tags[ICC_PROFILE].value if ICC_PROFILE in page.tags else None
    colour = DeclaredColour(bytes(profile), source="ICC profile") if profile else DeclaredColour()
    deep = page.dtype == np.uint16
    return PictureHeader(width, height, space, str(page.dtype), frames, colour, deep)


def _read_page(page: tifffile.TiffPage) -> StoredPicture:
    levels = page.asarray(maxworkers=1)
    if levels.ndim == 2:
        levels = levels[:, :, np.newaxis]
    elif page.planarconfig == 2:
        levels = np.moveaxis(levels, 0, 2)
    if 8 < page.bitspersample < 16:
        levels = scale_to_16_bits(levels, page.bitspersample)
    if _find_photometric(page) == WHITE_IS_ZERO:
        levels = 65535 - levels
    levels = turn_upright(levels, _find_orientation(page))
    if levels.shape[2] in (2, 4):
        return _split_alpha(page, levels)
    return StoredPicture(levels)


def _split_alpha(page: tifffile.TiffPage, levels: Any) -> StoredPicture:
    """Return colours and transparency; an extra channel of another meaning is refused."""
    if not page.extrasamples or page.extrasamples[0] == 0:
        raise StimgenError("has an extra channel whose meaning its file does not say: remove it")
    if levels.dtype.kind != "u":
        raise StimgenError("has transparency beside floats: save it without")
    largest = np.float32(np.iinfo(levels.dtype).max)
    alpha = (levels[:, :, -1] / largest).astype(np.float32)
    return StoredPicture(levels[:, :, :-1], alpha)


def _find_orientation(page: tifffile.TiffPage) -> int:
    return int(page.tags[ORIENTATION].value) if ORIENTATION in page.tags else 1
