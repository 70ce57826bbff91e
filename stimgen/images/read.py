"""Reads photographs from files: hashes, decodes, orients and converts them to sRGB."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.images.declared_colour import (
    DeclaredColour,
    convert_declared,
    convert_profile,
    describe_profile,
    is_profile_needed,
)
from stimgen.images.light import Encoding
from stimgen.images.readers import find_reader
from stimgen.images.readers.base import (
    MAXIMUM_PIXELS as MAXIMUM_PIXELS,
)
from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    SourceReading,
    StoredPicture,
    check_pixel_count,
    report_damage,
)
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import read_limited
from stimgen.reading.identity import sha256_bytes

MAXIMUM_FILE_BYTES = 256 * 2**20
SKIMAGE_PREFIX = "skimage:"
DecodedLevels = NDArray[Any]
"""Height x width x channels (1 or 3): uint8, uint16 or float32, of which white is 255, 65535 or 1."""
LINEAR = DeclaredColour(exponent=1.0, source="the protocol")


@dataclass(frozen=True)
class ImageFile(EncodedPicture):
    """Holds the bytes of an image file. All errors in reading them are `StimgenError`."""

    encoding: Encoding = "srgb"
    """How the pixels will be shown: a picture that declares to be linear is left as it is for ``linear``."""

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes in hexadecimal."""
        return sha256_bytes(self.data)

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels as displayed."""
        return self.header.width, self.header.height

    @property
    def is_grey(self) -> bool:
        """Return whether the picture has a single channel, according to the file's header."""
        return self.header.space == "grey"

    @cached_property
    def header(self) -> PictureHeader:
        """Return what the file's header says.

        Raises `StimgenError` if the file is not an image, damaged, too large, in a mode without defined
        colours, or if the protocol must say more of it: ``frame``, ``range`` or ``dataset``.
        """
        with report_damage(self.file):
            header = self._reader.read_header(self)
            check_pixel_count(header.width, header.height)
            self._check_frame(header.frames)
            self._check_colour(header)
        return header

    @property
    def conversions(self) -> dict[str, Any]:
        """Return, for identities, what determines the pixels besides the file and its profile.

        It is empty for pictures that all versions of stimgen read alike.
        """
        header = self.header
        found: dict[str, Any] = {}
        if header.deep:
            found["bits"] = 16
        if header.frames > 1 and self.index:
            found["frame"] = self.index + 1
        for key, value in (("range", self.reading.range), ("dataset", header.dataset)):
            if value is not None:
                found[key] = list(value) if isinstance(value, tuple) else value
        colour = self._name_conversion(header)
        return found | ({"colour": colour} if colour else {})

    def describe_reading(self) -> dict[str, Any]:
        """Return, for records, what was done to the numbers in the file; nothing if they were taken as is."""
        found, header = self.conversions, self.header
        if header.frames > 1:
            found |= {"frame": self.index + 1, "frames": header.frames}
        if self._converts_profile:
            name = describe_profile(header.colour.profile or b"")
            found["colour"] = f"from {name!r} to sRGB, by LittleCMS with perceptual intent"
        elif self._converts_values:
            found["colour"] = f"to sRGB, from what {self._colour.source} declares"
        return found

    def decode(self) -> DecodedLevels:
        """Return the picture upright, height x width x channels (1 or 3), sRGB-encoded.

        Raises `StimgenError` if the file is not an image, damaged, too large, transparent or in a mode
        without defined colours.
        """
        levels, alpha = self.decode_with_alpha()
        if alpha is not None and (alpha < 1.0).any():
            raise StimgenError(
                "has transparent parts: put it on a background first",
                where=self.file,
                hint="`mask: alpha` shows its opaque parts on the `background`",
            )
        return levels

    def decode_with_alpha(self) -> tuple[DecodedLevels, NDArray[np.float32] | None]:
        """Return the picture as `decode` does, and its opacity, height x width, if the file has one.

        Raises `StimgenError` as `decode` does, but not for transparency.
        """
        header = self.header
        with report_damage(self.file):
            stored = self._reader.read(self)
            if stored.levels.shape[1::-1] != self.size:
                raise StimgenError("has other pixels than its header says")
            return self._convert(stored, header), stored.alpha

    @cached_property
    def _reader(self) -> PictureReader:
        return find_reader(self)

    @property
    def _colour(self) -> DeclaredColour:
        """Return what the numbers mean: what the protocol says, or else the file."""
        said = self.reading.colour
        if said == "linear":
            return LINEAR
        return DeclaredColour() if said == "as_stored" else self.header.colour

    @property
    def _converts_profile(self) -> bool:
        profile = self._colour.profile
        return profile is not None and is_profile_needed(profile, self.header.space)

    @property
    def _converts_values(self) -> bool:
        colour = self._colour
        if self.encoding == "linear" and colour.is_linear:
            return False
        return colour.profile is None and colour.converts(self.is_grey)

    def _name_conversion(self, header: PictureHeader) -> str | None:
        declared = header.colour
        if self.reading.colour == "as_stored":
            obeyed = declared.profile is not None and is_profile_needed(declared.profile, header.space)
            return "as_stored" if obeyed else None
        if self.reading.colour == "linear":
            return "linear" if self._converts_values or declared.profile is not None else None
        if self._converts_profile and header.depth == "uint16":
            return "profile"  # which earlier versions obeyed only for 8 bits
        return "declared" if self._converts_values else None

    def _check_frame(self, frames: int) -> None:
        frame = self.reading.frame
        if frame is None and frames > 1:
            raise StimgenError(
                f"has {frames} frames or pages", hint=f"say which one: `frame: 1` to `frame: {frames}`"
            )
        if frame is not None and frame > frames:
            raise StimgenError(f"has {frames} frames or pages, so there is no frame {frame}")

    def _check_colour(self, header: PictureHeader) -> None:
        if header.depth not in ("uint8", "uint16") and self.reading.range is None:
            self._refuse_without_range(header)
        profile = header.colour.profile if self.reading.colour == "declared" else None
        if header.space == "cmyk" and profile is None:
            raise StimgenError(
                "its mode 'CMYK' has no fixed meaning as colours without a profile: it needs an embedded one",
                hint="save it as RGB or grey, or with its ICC profile",
            )
        if profile is not None:
            is_profile_needed(profile, header.space)  # which refuses damaged ones

    def _refuse_without_range(self, header: PictureHeader) -> None:
        levels = self._reader.read(self).levels
        lowest, highest = _find_extremes(levels)
        whole = f"`range: [{lowest!s}, {highest!s}]`, or for example " if lowest < highest else ""
        raise StimgenError(
            f"has numbers of type {header.depth}, from {lowest!s} to {highest!s}: which are black and white?",
            hint=f"say so: {whole}`range: [0, 1]`",
        )

    def _convert(self, stored: StoredPicture, header: PictureHeader) -> DecodedLevels:
        levels = stored.levels
        if self.reading.range is not None:
            levels = _apply_range(levels, self.reading.range)
        if self._converts_profile:
            return convert_profile(levels, self._colour.profile or b"", header.space)
        return convert_declared(levels, self._colour) if self._converts_values else levels


def _apply_range(levels: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Return levels as float32, with the two limits as 0 and 1; refuse numbers beyond them."""
    lowest, highest = _find_extremes(levels)
    # As numbers of the file's type, so that 0.1 is within a range from 0.1.
    least, most = np.array(limits, levels.dtype if levels.dtype.kind == "f" else np.float64)
    if lowest < least or highest > most:
        raise StimgenError(
            f"has numbers from {lowest!s} to {highest!s}, beyond the range {limits[0]:g} to {limits[1]:g}",
            hint=f"say `range: [{min(lowest, least)!s}, {max(highest, most)!s}]`",
        )
    lower, upper = np.float64(least), np.float64(most)
    unit: NDArray[np.float32] = ((levels.astype(np.float64) - lower) / (upper - lower)).astype(np.float32)
    return unit


def _find_extremes(levels: NDArray[Any]) -> tuple[Any, Any]:
    if not np.isfinite(levels).all():
        raise StimgenError("has pixels that are no numbers (NaN) or infinite")
    return levels.min(), levels.max()


def read_image_file(
    file: Path, reading: SourceReading | None = None, encoding: Encoding = "srgb"
) -> ImageFile:
    """Read the bytes of an image file.

    Raises `StimgenError` if the file is missing, unreadable, empty or larger than 256 MB.
    """
    data = read_limited(file, MAXIMUM_FILE_BYTES, "image file")
    if not data:
        raise StimgenError("the image file is empty", where=file)
    return ImageFile(file, data, reading or SourceReading(), encoding)


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
