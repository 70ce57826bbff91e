"""Represents a source that was found, hashed and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from stimgen.images.light import Encoding
from stimgen.images.picture import MaskedPicture
from stimgen.images.prepare import ImageSize, Pixels, Preparation
from stimgen.images.read import ImageFile, read_image_file
from stimgen.images.readers.base import SourceReading
from stimgen.images.source_pipeline import ModelInput, SourceFiles, SourceKeyError, SourcePipeline
from stimgen.images.write import Bits, encode_png, quantise
from stimgen.protocol.schema import SourceSpec
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import canonical_json, digest, recipe_identity

T = TypeVar("T")


@dataclass(frozen=True)
class FoundFile:
    """Represents a file with its hash at the time of planning."""

    file: Path
    sha256: str
    reading: SourceReading = field(default_factory=SourceReading)
    """What the protocol says of the numbers in it."""
    encoding: Encoding = "srgb"
    """How its pixels will be shown."""
    conversions: str = ""
    """Canonical JSON of what determines its pixels besides the file, if anything does."""

    @classmethod
    def from_image(cls, image: ImageFile) -> FoundFile:
        """Return the file of an image that was read."""
        found = image.conversions
        said = canonical_json(found).decode() if found else ""
        return cls(image.file, image.sha256, image.reading, image.encoding, said)

    @property
    def identity(self) -> str:
        """Return a hash of what determines its pixels: that of the file, if it is read as it always was."""
        return digest([self.sha256, self.conversions]) if self.conversions else self.sha256

    def read(self, what: str = "the source") -> ImageFile:
        """Return the file, called `what` in errors; raise `StimgenError` if it is damaged or has changed."""
        image = read_image_file(self.file, self.reading, self.encoding)
        if image.sha256 != self.sha256:
            raise StimgenError(f"{what} has changed since the plan was made", where=self.file)
        return image


@dataclass(frozen=True, eq=False)
class PlannedSource:
    """Represents one photograph, found and hashed."""

    id: str
    name: str
    """The file as it is recorded: relative to the protocol, absolute, or ``skimage:NAME``."""
    image: FoundFile
    mask: FoundFile | None
    shape: tuple[int, int, int]
    """Height, width and channels of what a model measures."""
    recipe: dict[str, Any]
    """What determines its pixels, and the levels that they are rounded to if these are not 8 bits."""
    preparation: Preparation
    """How another picture becomes one of its size: without its mask, steps and canvas."""
    staging: SourcePipeline
    """How the photograph becomes what a model measures."""
    bits: Bits
    conversions: dict[str, Any]
    """What was done to the numbers in the file, for records."""
    factors: Mapping[str, str]
    """What analyses may group by."""
    spec: SourceSpec
    lines: Mapping[str, Location]
    """Where the protocol names its ``file``, ``mask``, ``before`` and ``canvas``, and its ``matching``."""

    @property
    def file(self) -> Path:
        """Return where the photograph lies now."""
        return self.image.file

    @property
    def sha256(self) -> str:
        """Return the hash of the photograph."""
        return self.image.sha256

    @cached_property
    def original_name(self) -> str:
        """Return the name of the file that the prepared source is written to."""
        return f"{self.id}_{self.original_id[:8]}.png"

    @cached_property
    def original_id(self) -> str:
        """Return the identity of the prepared source."""
        return recipe_identity(self.recipe)

    def read_unprocessed(self) -> MaskedPicture:
        """Return the photograph before any step; raises as `stage`."""
        return self._apply(self.staging.prepare_picture)

    def read_before_matching(self) -> MaskedPicture:
        """Return the photograph after its steps, before it is matched with others; raises as `stage`."""
        return self._apply(self.staging.apply_steps)

    @cached_property
    def matched_size(self) -> ImageSize:
        """Return width and height of the photograph when it is matched with others."""
        return self.staging.size_after_steps(self.image.read())

    def stage(self) -> ModelInput:
        """Return what a model measures.

        Raises `StimgenError` if a file is damaged or has changed since it was planned with, or if a step is
        impossible.
        """
        return self._apply(self.staging.compute_input)

    def pixels(self) -> Pixels:
        """Return what a model measures: height x width x channels, range [0, 1]; raises as `stage`."""
        return self.stage().pixels

    def encode(self, pixels: Pixels) -> bytes:
        """Return a PNG file of a picture of this source, with its bits and encoding."""
        return encode_png(quantise(pixels, self.bits), self.staging.encoding)

    def _apply(self, process: Callable[[SourceFiles], T]) -> T:
        files = SourceFiles(self.image.read(), self.mask.read() if self.mask is not None else None)
        try:
            return process(files)
        except StimgenError as error:
            raise locate_source_error(error, self.lines) from None


def locate_source_error(error: StimgenError, lines: Mapping[str, Location]) -> StimgenError:
    """Return the error with the line, of those of a source, that it is about."""
    return add_location(error, lines[error.key if isinstance(error, SourceKeyError) else "file"])


def add_location(error: StimgenError, where: Location) -> StimgenError:
    """Return the error with a line of the protocol, keeping in its message the file that it is about."""
    file = f"{error.where}: " if error.where is not None else ""
    return StimgenError(
        file + error.message, where=where, given=error.given, allowed=error.allowed, hint=error.hint
    )
