"""Reads photographs from files: hashes, decodes, orients and converts them to sRGB."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from stimgen.reading.errors import StimgenError
from stimgen.reading.files import read_limited
from stimgen.reading.identity import sha256_bytes

MAXIMUM_FILE_BYTES = 256 * 2**20
MAXIMUM_PIXELS = 80_000_000  # less than Pillow's own limit, above which it warns
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
GREY_MODES = ("1", "L", "LA", "I;16", "I;16B")
SKIMAGE_PREFIX = "skimage:"


@dataclass(frozen=True)
class ImageFile:
    """Holds the bytes of an image file. All errors in reading them are `StimgenError`."""

    file: Path
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes in hexadecimal."""
        return sha256_bytes(self.data)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels as displayed."""
        with _open_image(self) as image:
            # Only some versions of Pillow rotate the pictures of TIFF files by themselves.
            if image.format == "TIFF":
                return self._load_upright().size
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            width, height = image.size
        return (height, width) if turned else (width, height)

    @cached_property
    def is_grey(self) -> bool:
        """Return whether the picture has a single channel, according to the file's header."""
        with _open_image(self) as image:
            return image.mode in GREY_MODES

    def decode(self) -> Image.Image:
        """Return the picture upright in mode RGB, L or I;16, converted to sRGB if it has another profile.

        Raises `StimgenError` if the file is not an image, damaged, too large, transparent or in a mode
        without defined colours.
        """
        return _convert_to_srgb(_convert_mode(self._load_upright(), self.file), self.file)

    def _load_upright(self) -> Image.Image:
        with _open_image(self) as image:
            image.load()
            return ImageOps.exif_transpose(image)


def read_image_file(file: Path) -> ImageFile:
    """Read the bytes of an image file.

    Raises `StimgenError` if the file is missing, unreadable, empty or larger than 256 MB.
    """
    data = read_limited(file, MAXIMUM_FILE_BYTES, "image file")
    if not data:
        raise StimgenError("the image file is empty", where=file)
    return ImageFile(file, data)


def find_skimage_file(name: str) -> Path:
    """Return the file of a picture that scikit-image contains.

    Raises `StimgenError` if scikit-image is not installed or contains no picture of this name.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise StimgenError("scikit-image is not installed, so its photographs are not there")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    pictures = {file.stem: file for file in sorted(folder.iterdir()) if file.suffix in (".png", ".jpg")}
    if name not in pictures:
        raise StimgenError(f"scikit-image contains no picture {name!r}", given=name, allowed=list(pictures))
    return pictures[name]


@contextmanager
def _open_image(image: ImageFile) -> Iterator[Image.Image]:
    """Open an image; whatever Pillow raises becomes a `StimgenError`."""
    try:
        with warnings.catch_warnings():
            # Pillow also warns of broken metadata, which do not matter.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(image.data), formats=FORMATS) as opened:
                if opened.width * opened.height > MAXIMUM_PIXELS:
                    raise Image.DecompressionBombError
                yield opened
    except StimgenError:
        raise
    except Image.DecompressionBombError:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels", where=image.file) from None
    except UnidentifiedImageError:
        message = "not an image that can be read, or damaged"
        raise StimgenError(message, where=image.file, allowed=FORMATS) from None
    except Exception as error:  # Pillow's decoders raise almost anything if the data are damaged
        raise StimgenError(f"the image is damaged or truncated ({error})", where=image.file) from None


def _convert_mode(image: Image.Image, file: Path) -> Image.Image:
    if _has_transparency(image):
        raise StimgenError("has transparent parts: put it on a background first", where=file)
    if image.mode in ("RGB", "L", "I;16"):
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    if image.mode == "I;16B":
        return image.convert("I").convert("I;16")
    if image.mode in ("P", "PA", "RGBA"):
        return image.convert("RGB")
    message = f"its mode {image.mode!r} has no fixed meaning as colours: save it as RGB or grey"
    raise StimgenError(message, where=file)


def _has_transparency(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    if image.mode == "I;16":
        return bool((np.asarray(image) == image.info["transparency"]).any())
    return image.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _convert_to_srgb(image: Image.Image, file: Path) -> Image.Image:
    profile_bytes = image.info.get("icc_profile")
    if not profile_bytes or image.mode == "I;16":
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return image
        if image.mode == "L" and profile.profile.xcolor_space.strip() != "GRAY":
            return image  # a profile for colours does not apply to a grey picture
        srgb = ImageCms.createProfile("sRGB")
        # Without optimisation, because the shortened tables for greys are wrong by up to ten dark levels.
        exact = ImageCms.Flags.NOOPTIMIZE
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB", flags=exact)
    except (ImageCms.PyCMSError, OSError) as error:
        raise StimgenError(f"its colour profile cannot be used ({error})", where=file) from None
    if converted is None:
        raise StimgenError("its colour profile cannot be used", where=file)
    return converted.convert(image.mode)
