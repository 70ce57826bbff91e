"""Defines what every reader of pictures offers, and what users may say of a file's meaning."""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import Field, model_validator

from stimgen.images.declared_colour import DeclaredColour
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Model, Number, Text, validation_error
from stimgen.reading.registry import FamilyMember

MAXIMUM_PIXELS = 80_000_000  # less than Pillow's own limit, above which it warns
StoredLevels = NDArray[Any]
"""Height x width x channels, as a file stores them."""


class SourceReading(Model):
    """Says what the numbers in a picture's file mean, where the file leaves that open."""

    colour: Literal["declared", "as_stored", "linear"] = "declared"
    """``declared``: colour profiles and gamma of the file are obeyed, and its colours become those of sRGB;
    ``as_stored``: the numbers are taken as they are; ``linear``: the numbers are proportional to light."""
    frame: Annotated[Integer, Field(ge=1)] | None = None
    """Which picture of a file with several pages or frames, from 1; such files need it."""
    range: tuple[Number, Number] | None = None
    """Numbers that become black and white; required for pictures of floats and of other than 8 or 16 bits."""
    dataset: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    """Name of the array in a MATLAB, HDF5 or ``.npz`` file, if it has several."""

    @model_validator(mode="after")
    def _check_range(self) -> SourceReading:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise validation_error("the first number of `range` must be the smaller one", at="range")
        return self


@dataclass(frozen=True)
class EncodedPicture:
    """Holds the bytes of a picture's file, and what a user says of their meaning."""

    file: Path
    data: bytes
    reading: SourceReading = field(default_factory=SourceReading)

    @property
    def index(self) -> int:
        """Return the frame that is wanted, from 0."""
        return (self.reading.frame or 1) - 1


@dataclass(frozen=True)
class PictureHeader:
    """Describes a picture before its pixels are decoded."""

    width: int
    """Pixels, as displayed."""
    height: int
    space: Literal["grey", "rgb", "cmyk"]
    depth: str
    """Name of NumPy's type of one number: ``uint8``, ``uint16``, ``float32`` ..."""
    frames: int = 1
    colour: DeclaredColour = DeclaredColour()
    """What the file says of its colours."""
    deep: bool = False
    """Whether earlier versions read its 16 bits as 8."""
    dataset: str | None = None
    """Name of the array, in files that name their arrays."""


@dataclass(frozen=True, eq=False)
class StoredPicture:
    """Holds the decoded pixels of a file, upright, before any conversion."""

    levels: StoredLevels
    """Height x width x channels (1, 3; 4 for CMYK)."""
    alpha: NDArray[np.float32] | None = None
    """Height x width, in [0, 1]; None if the file says nothing of transparency."""


class PictureReader(FamilyMember, ABC):
    """Reads a group of formats.

    Methods may raise anything if the data are damaged: `report_damage` makes errors of it.
    """

    name: str

    formats: ClassVar[tuple[str, ...]]
    """Names of the formats for messages."""
    endings: ClassVar[tuple[str, ...]]
    """Endings of file names, in lower case, that patterns take for pictures."""
    holds_data: ClassVar[bool] = False
    """Whether most such files are no pictures, so that only patterns that name the ending take them."""

    @abstractmethod
    def recognises(self, data: bytes) -> bool:
        """Return whether the bytes begin as a file of these formats does."""

    @abstractmethod
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        """Return what can be known without decoding the pixels."""

    @abstractmethod
    def read(self, picture: EncodedPicture) -> StoredPicture:
        """Decode the pixels."""


@contextmanager
def report_damage(file: Path) -> Iterator[None]:
    """Turn whatever decoders raise into a `StimgenError`, and keep them from printing."""
    logger = logging.getLogger("tifffile")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            # Decoders also warn of broken metadata, which do not matter.
            warnings.simplefilter("ignore")
            yield
    except StimgenError as error:
        raise error.add_location(file) from None
    except Image.DecompressionBombError:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels", where=file) from None
    except UnidentifiedImageError:
        raise StimgenError("not an image that can be read, or damaged", where=file) from None
    except Exception as error:  # decoders raise almost anything if the data are damaged
        said = " ".join(str(error).split()) or type(error).__name__
        raise StimgenError(f"the image is damaged or truncated ({said})", where=file) from None
    finally:
        logger.disabled = disabled


def check_pixel_count(width: int, height: int, channels: int = 1) -> None:
    """Raise if a picture would have too many pixels, before anything is decoded."""
    if width * height * max(1, channels / 4) > MAXIMUM_PIXELS:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels")


def turn_upright(levels: StoredLevels, orientation: int) -> StoredLevels:
    """Return an array, height x width or with channels, as the EXIF orientation says it is displayed."""
    if orientation in (5, 6, 7, 8):
        levels = levels.swapaxes(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}
    return np.flip(levels, flips[orientation]) if orientation in flips else levels
