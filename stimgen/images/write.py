"""Pixels out: eight bits, PNG with its encoding declared, and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError

ENCODING = "srgb"


def quantise(pixels: Pixels) -> NDArray[np.uint8]:
    """Return `pixels` clipped to [0, 1] and rounded to 256 levels (half to even).

    Parameters
    ----------
    pixels : Pixels
        Height x width x channels, nominal range [0, 1].
    """
    levels: NDArray[np.uint8] = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return levels


def encode_png(levels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of an 8-bit picture, declared as sRGB (perceptual intent).

    Parameters
    ----------
    levels : array
        Height x width x channels (1 or 3).
    """
    info = PngInfo()
    info.add(b"sRGB", b"\0")
    buffer = io.BytesIO()
    _picture(levels).save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def decode_png(data: bytes, file: Path) -> NDArray[np.uint8]:
    """Return the levels of a PNG file that `encode_png` made: height x width x channels.

    Raises
    ------
    StimgenError
        The bytes are not such a picture.
    """
    with opened_png(io.BytesIO(data), file) as image:
        if image.mode not in ("L", "RGB"):
            raise StimgenError(f"has mode {image.mode!r}", where=file, allowed=("L", "RGB"))
        levels = np.asarray(image)
    return levels[:, :, np.newaxis] if levels.ndim == 2 else levels


def check_png(data: bytes, file: Path) -> None:
    """Refuse a PNG file whose checksums are not those of its data.

    Raises
    ------
    StimgenError
        It is damaged, or no PNG file.
    """
    with opened_png(io.BytesIO(data), file) as image:
        image.verify()


@contextmanager
def opened_png(stream: IO[bytes] | Path, file: Path) -> Iterator[Image.Image]:
    """Open a PNG file for what is done inside, where damage becomes an error that names `file`.

    Raises
    ------
    StimgenError
        It is damaged, or no PNG file.
    """
    try:
        with Image.open(stream, formats=("PNG",)) as image:
            yield image
    except UnidentifiedImageError:
        raise StimgenError("not a readable PNG picture", where=file) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise StimgenError(f"not a readable PNG picture ({error})", where=file) from None


def as_pixels(levels: NDArray[np.uint8]) -> Pixels:
    """Return 8-bit levels as float32 in [0, 1]."""
    return levels.astype(np.float32) / np.float32(255.0)


def encode_array(pixels: Pixels) -> bytes:
    """Return the ``.npy`` file of `pixels`, without pickle."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(pixels, dtype="<f4"), allow_pickle=False)
    return buffer.getvalue()


def _picture(levels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)
