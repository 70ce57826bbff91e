"""Photographs from files: hashed, decoded with care, oriented and in sRGB."""

from __future__ import annotations

import importlib.util
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes

MAXIMUM_FILE_BYTES = 256 * 2**20
MAXIMUM_PIXELS = 100_000_000
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
GREY_MODES = ("1", "L", "LA", "I;16")
SKIMAGE_PREFIX = "skimage:"


@dataclass(frozen=True)
class ImageFile:
    """The bytes of an image file, with where they came from.

    Attributes
    ----------
    file : Path
        Where it was read.
    data : bytes
        The whole file.
    """

    file: Path
    data: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return sha256_bytes(self.data)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as displayed, from the file's header.

        Raises
        ------
        StimgenError
            The file is not an image, or too large a one.
        """
        with _open(self) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            width, height = image.size
        return (height, width) if turned else (width, height)

    @property
    def grey(self) -> bool:
        """Whether the picture has a single channel, from the file's header.

        Raises
        ------
        StimgenError
            The file is not an image, or too large a one.
        """
        with _open(self) as image:
            return image.mode in GREY_MODES

    def decode(self) -> Image.Image:
        """Return the picture in mode RGB, L or I;16, upright, and in sRGB where it had another profile.

        Raises
        ------
        StimgenError
            The file is not an image, truncated, too large, transparent or in a mode without fixed colours.
        """
        with _open(self) as image:
            try:
                image.load()
            except (OSError, SyntaxError, ValueError, EOFError) as error:
                raise StimgenError(f"the image is damaged or truncated ({error})", where=self.file) from None
            upright = ImageOps.exif_transpose(image)
        return _in_plain_mode(_in_srgb(upright, self.file), self.file)


def read_image_file(file: Path) -> ImageFile:
    """Read the bytes of an image file.

    Raises
    ------
    StimgenError
        The file is missing, unreadable, empty or larger than 256 MB.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAXIMUM_FILE_BYTES + 1)
    except FileNotFoundError:
        raise StimgenError("no such image file", where=file) from None
    except OSError as error:
        raise StimgenError(f"cannot be read: {error.strerror}", where=file) from None
    if len(data) > MAXIMUM_FILE_BYTES:
        raise StimgenError(f"larger than {MAXIMUM_FILE_BYTES // 2**20} MB", where=file)
    if not data:
        raise StimgenError("the image file is empty", where=file)
    return ImageFile(file, data)


def skimage_file(name: str) -> Path:
    """Return the file of the picture called `name` inside scikit-image's wheel.

    Raises
    ------
    StimgenError
        scikit-image carries no such picture.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise StimgenError("scikit-image is not installed, so its photographs are not there")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    pictures = {file.stem: file for file in sorted(folder.iterdir()) if file.suffix in (".png", ".jpg")}
    if name not in pictures:
        raise StimgenError(f"scikit-image carries no picture {name!r}", given=name, allowed=list(pictures))
    return pictures[name]


def _open(image: ImageFile) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a decompression bomb below twice its limit.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(image.data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels", where=image.file) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise StimgenError(
            "not an image that can be read, or damaged", where=image.file, allowed=FORMATS
        ) from None
    if opened.width * opened.height > MAXIMUM_PIXELS:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels", where=image.file)
    return opened


def _in_srgb(image: Image.Image, file: Path) -> Image.Image:
    profile_bytes = image.info.get("icc_profile")
    if not profile_bytes or image.mode != "RGB":
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_bytes))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return image
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError) as error:
        raise StimgenError(f"its colour profile cannot be used ({error})", where=file) from None
    if converted is None:
        raise StimgenError("its colour profile cannot be used", where=file)
    return converted


def _in_plain_mode(image: Image.Image, file: Path) -> Image.Image:
    if image.mode in ("RGB", "L", "I;16"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        if opaque.getchannel("A").getextrema() != (255, 255):
            raise StimgenError("has transparent parts: put it on a background first", where=file)
        return opaque.convert("L" if image.mode == "LA" else "RGB")
    if image.mode == "P":
        return image.convert("RGB")
    raise StimgenError(
        f"its mode {image.mode!r} has no fixed meaning as colours: save it as RGB or grey", where=file
    )
