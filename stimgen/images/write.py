"""Writes and reads PNG files of 8 or 16 bits that declare their encoding."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from stimgen.images.light import Encoding, Pixels, from_light
from stimgen.reading.errors import StimgenError

Bits = Literal[8, 16]
SIXTEEN_BITS = ("I;16", "I")  # older versions of Pillow read greys of 16 bits into 32
MODES = ("L", "RGB", *SIXTEEN_BITS)
TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
PNG_ERRORS = (OSError, SyntaxError, ValueError, *TOO_LARGE)
Levels = NDArray[np.uint8] | NDArray[np.uint16]

# How a PNG file declares its encoding: perceptual intent, or a gamma of 1 in units of 1/100,000.
DECLARATIONS: dict[Encoding, tuple[bytes, bytes]] = {
    "srgb": (b"sRGB", b"\0"),
    "linear": (b"gAMA", (100_000).to_bytes(4, "big")),
}


def quantise(pixels: Pixels, bits: Bits = 8) -> Levels:
    """Clip `pixels` to [0, 1] and round them, half to even, to the levels k / 255 or k / 65535."""
    inside = np.clip(pixels, 0.0, 1.0)
    if bits == 8:
        coarse: NDArray[np.uint8] = np.rint(inside * 255.0).astype(np.uint8)
        return coarse
    # In float64, because a product in float32 has too few digits.
    fine: NDArray[np.uint16] = np.rint(inside.astype(np.float64) * 65535.0).astype(np.uint16)
    return fine


def encode_png(levels: Levels, encoding: Encoding = "srgb") -> bytes:
    """Return the PNG file of height x width x channels (1 or 3) levels; only grey ones may have 16 bits."""
    info = PngInfo()
    info.add(*DECLARATIONS[encoding])
    buffer = io.BytesIO()
    as_image(levels).save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def decode_png(data: bytes, file: Path) -> Levels:
    """Return the levels, height x width x channels, uint8 or uint16, of a file that `encode_png` made.

    Raises `StimgenError` if the bytes are not such a picture.
    """
    with open_png(io.BytesIO(data), file) as image:
        if image.mode not in MODES:
            raise StimgenError(f"has mode {image.mode!r}", where=file, allowed=MODES)
        levels = np.asarray(image)
        if image.mode in SIXTEEN_BITS:
            levels = levels.astype(np.uint16)
    return levels[:, :, np.newaxis] if levels.ndim == 2 else levels


def check_png(data: bytes, file: Path) -> None:
    """Compare the data of a PNG file with its checksums.

    Raises `StimgenError` if it is damaged or not a PNG file.
    """
    with open_png(io.BytesIO(data), file) as image:
        image.verify()


@contextmanager
def open_png(stream: IO[bytes] | Path, file: Path) -> Iterator[Image.Image]:
    """Open a PNG file; errors, also while the caller uses it, name `file`.

    Raises `StimgenError` if it is damaged, too large, or not a PNG file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # so many pixels are refused
            opened = Image.open(stream, formats=("PNG",))
        with opened as image:
            yield image
    except UnidentifiedImageError:
        raise StimgenError("not a readable PNG picture", where=file) from None
    except PNG_ERRORS as error:
        raise StimgenError(f"not a readable PNG picture ({error})", where=file) from None


def to_srgb_image(image: Image.Image) -> Image.Image:
    """Convert an opened picture of a set to RGB, 8 bits, sRGB, for ordinary programs."""
    levels = np.asarray(image)
    if image.mode in SIXTEEN_BITS:
        levels = np.rint(levels / 257.0).astype(np.uint8)
    if image.info.get("gamma") == 1.0:
        levels = quantise(from_light(levels / 255.0, "srgb")).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def as_pixels(levels: NDArray[Any]) -> Pixels:
    """Convert levels to float32 in [0, 1]; pixels are returned as they are."""
    if levels.dtype.kind == "f":
        return levels.astype(np.float32)
    pixels: Pixels = levels.astype(np.float32) / np.float32(np.iinfo(levels.dtype).max)
    return pixels


def encode_array(pixels: Pixels) -> bytes:
    """Return the ``.npy`` file of `pixels`, without pickle."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(pixels, dtype="<f4"), allow_pickle=False)
    return buffer.getvalue()


def as_8_bit_image(levels: NDArray[Any]) -> Image.Image:
    """Convert levels or pixels, height x width x channels, to a Pillow image of mode L or RGB."""
    return as_image(levels if levels.dtype == np.uint8 else quantise(as_pixels(levels)))


def as_image(levels: NDArray[Any]) -> Image.Image:
    """Convert levels, height x width x channels (1 or 3), to a Pillow image."""
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)
