"""Inspects a picture's file before anything is made of it: size, depth, colours, transparency, light."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimgen.images.declared_colour import describe_profile
from stimgen.images.light import LUMINANCE, to_light
from stimgen.images.measures.perceptual_hash import HASH_SIDE, compute_hash
from stimgen.images.read import read_image_file
from stimgen.images.readers import find_reader
from stimgen.images.readers.base import PictureHeader, SourceReading, report_damage
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes

STRIP = 2**20  # pixels whose light is computed at once
Levels = NDArray[Any]


class PictureInspection(NamedTuple):
    """Describes a picture's file; fields that could not be determined are None."""

    file: str
    """Path, as a protocol would name it."""
    width: int | None = None
    height: int | None = None
    colour: str | None = None
    """``grey``, ``rgb`` or ``cmyk``."""
    depth: str | None = None
    """Type of a number: ``uint8``, ``uint16``, ``float32`` ..."""
    profile: str | None = None
    """What the file says of its colours; empty if nothing, which means sRGB."""
    frames: int | None = None
    transparent: float | None = None
    """Fraction of the pixels that are not opaque; 0 without transparency."""
    luminance: float | None = None
    """Mean of the opaque parts; white is 1."""
    contrast: float | None = None
    """Standard deviation over mean of luminance."""
    sha256: str | None = None
    """Hash of the file."""
    pixels_sha256: str | None = None
    """Hash of the decoded pixels, equal for copies in other formats without loss."""
    problem: str | None = None
    """Why a protocol could not use the file as it is, in one line."""


class InspectedPicture(NamedTuple):
    """Holds a picture's description with what comparisons and contact sheets need."""

    picture: PictureInspection
    hash: int = 0
    """Perceptual hash of 64 bits."""
    grey: bytes = b""
    """The picture in grey, 32 x 32 levels."""
    thumbnail: bytes = b""
    """RGB levels, square, on grey; empty unless it was asked for."""


def inspect_picture(file: Path, name: str, thumbnail: int = 0) -> InspectedPicture:
    """Return what a file is, called `name`; a file that cannot be read has a problem instead of raising.

    `thumbnail` is the side in pixels of a small picture to return; 0: none.
    """
    picture = PictureInspection(name)
    try:
        image = read_image_file(file)
        picture = picture._replace(sha256=image.sha256)
        with report_damage(file):
            header = find_reader(image).read_header(image)
        picture = _describe_header(picture, header)
        if header.frames > 1:
            image = read_image_file(file, SourceReading(frame=1))
        levels, alpha = image.decode_with_alpha()
    except StimgenError as error:
        said = "; ".join(filter(None, (error.message, error.hint)))
        return InspectedPicture(picture._replace(problem=" ".join(said.split())))
    except MemoryError:
        return InspectedPicture(picture._replace(problem="too large for the memory"))
    return _measure(picture, levels, alpha, thumbnail)


def _describe_header(picture: PictureInspection, header: PictureHeader) -> PictureInspection:
    colour = header.colour
    profile = describe_profile(colour.profile) if colour.profile else colour.source
    return picture._replace(
        width=header.width,
        height=header.height,
        colour=header.space,
        depth=header.depth,
        profile=profile,
        frames=header.frames,
    )


def _measure(
    picture: PictureInspection, levels: Levels, alpha: NDArray[np.float32] | None, thumbnail: int
) -> InspectedPicture:
    weights = None if alpha is None or bool((alpha == 1.0).all()) else alpha
    mean, contrast = _measure_light(levels, weights)
    small = _render(levels, weights)
    grey = small.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX, reducing_gap=3.0)
    picture = picture._replace(
        transparent=0.0 if weights is None else float(np.mean(weights < 1.0)),
        luminance=mean,
        contrast=contrast,
        pixels_sha256=_hash_pixels(levels, weights),
    )
    shown = _fit(small, thumbnail) if thumbnail else b""
    return InspectedPicture(picture, compute_hash(np.asarray(grey)), grey.tobytes(), shown)


def _hash_pixels(levels: Levels, weights: NDArray[np.float32] | None) -> str:
    """Return a hash of the pixels and their opacity, whatever the format of their file."""
    digest = f"{levels.shape} {levels.dtype.str} {sha256_bytes(levels.tobytes())}"
    opacity = "" if weights is None else sha256_bytes(weights.tobytes())
    return sha256_bytes(f"{digest} {opacity}".encode())


def _measure_light(levels: Levels, weights: NDArray[np.float32] | None) -> tuple[float | None, float | None]:
    """Return mean and RMS contrast of luminance, of opaque parts; None where nothing is opaque, or black."""
    total = first = second = 0.0
    for rows in _list_strips(levels):
        light = _luminance(levels[rows])
        part = np.ones_like(light) if weights is None else weights[rows].astype(np.float64)
        total += float(part.sum())
        first += float((part * light).sum())
        second += float((part * light**2).sum())
    if not total:
        return None, None
    mean = first / total
    spread = max(second / total - mean**2, 0.0) ** 0.5
    return mean, spread / mean if mean > 0 else None


def _list_strips(levels: Levels) -> Iterator[slice]:
    """Yield rows of about a million pixels at once, so that large pictures take no more memory."""
    height, width = levels.shape[:2]
    step = max(1, STRIP // width)
    yield from (slice(top, top + step) for top in range(0, height, step))


def _luminance(levels: Levels) -> NDArray[np.float64]:
    if levels.dtype == np.uint8:
        # A table gives the same numbers, and takes a tenth of the time.
        light = to_light(np.arange(256) / 255, "srgb")[levels]
    else:
        largest = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1
        light = to_light(levels / largest, "srgb")
    found: NDArray[np.float64] = light[:, :, 0] if light.shape[2] == 1 else light @ LUMINANCE
    return found


def _render(levels: Levels, weights: NDArray[np.float32] | None) -> Image.Image:
    """Return a picture of 8 bits; transparent parts are on grey."""
    if levels.dtype != np.uint8:
        largest = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1
        levels = np.rint(np.clip(levels / largest, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)
    if weights is None:
        return image
    ground = Image.new(image.mode, image.size, 128 if image.mode == "L" else (128, 128, 128))
    return Image.composite(image, ground, Image.fromarray(np.rint(weights * 255).astype(np.uint8)))


def _fit(image: Image.Image, side: int) -> bytes:
    picture = image.convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=2.0)
    tile = Image.new("RGB", (side, side), (255, 255, 255))
    tile.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return tile.tobytes()
