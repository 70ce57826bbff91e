"""A source as it was found, hashed and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stimgen.images.picture import MaskedPicture
from stimgen.images.prepare import Pixels, Preparation
from stimgen.images.read import ImageFile, read_image_file
from stimgen.images.source_pipeline import ModelInput, SourceFiles, SourceKeyError, SourcePipeline
from stimgen.images.write import Bits, encode_png, quantise
from stimgen.protocol.schema import SourceSpec
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import recipe_identity


@dataclass(frozen=True)
class FoundFile:
    """A file as it was when it was planned with.

    Attributes
    ----------
    file : Path
        Where it lies.
    sha256 : str
        Hash of its bytes.
    """

    file: Path
    sha256: str

    def read(self) -> ImageFile:
        """Return the file.

        Raises
        ------
        StimgenError
            It cannot be read, or is no longer what it was.
        """
        image = read_image_file(self.file)
        if image.sha256 != self.sha256:
            raise StimgenError("the source has changed since the plan was made", where=self.file)
        return image


@dataclass(frozen=True, eq=False)
class PlannedSource:
    """One photograph, found and hashed.

    Attributes
    ----------
    id : str
        What stimuli call it.
    name : str
        The file as it is to be recorded: relative to the protocol, or ``skimage:NAME``.
    image : FoundFile
        The photograph.
    mask : FoundFile or None
        Its mask.
    shape : tuple of int
        Height, width and channels of what a model measures.
    recipe : dict
        What determines its pixels, and the levels that they are rounded to where these are not 8 bits.
    preparation : Preparation
        How another picture becomes one of its size: without its mask, steps and canvas.
    staging : SourcePipeline
        How the photograph becomes what a model measures.
    bits : {8, 16}
        Of its values in a file.
    spec : SourceSpec
        What the protocol says.
    lines : mapping
        Where it says so: ``file``, ``mask``, ``before`` and ``canvas``.
    """

    id: str
    name: str
    image: FoundFile
    mask: FoundFile | None
    shape: tuple[int, int, int]
    recipe: dict[str, Any]
    preparation: Preparation
    staging: SourcePipeline
    bits: Bits
    spec: SourceSpec
    lines: Mapping[str, Location]

    @property
    def file(self) -> Path:
        """Where the photograph lies now."""
        return self.image.file

    @property
    def sha256(self) -> str:
        """Hash of the photograph."""
        return self.image.sha256

    @property
    def where(self) -> Location:
        """The line that names it."""
        return self.lines["file"]

    @cached_property
    def original_name(self) -> str:
        """Name of the file that the prepared source is written to."""
        return f"{self.id}_{self.original_id[:8]}.png"

    @cached_property
    def original_id(self) -> str:
        """Identity of the prepared source."""
        return recipe_identity(self.recipe)

    def read_photograph(self) -> SourceFiles:
        """Return its files.

        Raises
        ------
        StimgenError
            One of them cannot be read, or is no longer what was planned with.
        """
        return SourceFiles(self.image.read(), self.mask.read() if self.mask is not None else None)

    def bare(self) -> MaskedPicture:
        """Return the photograph before any step.

        Raises
        ------
        StimgenError
            As `stage`.
        """
        photograph = self.read_photograph()
        try:
            return self.staging.prepare_picture(photograph)
        except StimgenError as error:
            raise self.located(error) from None

    def stage(self) -> ModelInput:
        """Return what a model measures.

        Raises
        ------
        StimgenError
            A file is damaged, or is no longer what was planned with, or a step is impossible.
        """
        photograph = self.read_photograph()
        try:
            return self.staging.compute_input(photograph)
        except StimgenError as error:
            raise self.located(error) from None

    def pixels(self) -> Pixels:
        """Return what a model measures: height x width x channels, range [0, 1].

        Raises
        ------
        StimgenError
            As `stage`.
        """
        return self.stage().pixels

    def encode(self, pixels: Pixels) -> bytes:
        """Return the file of a picture of this source, with its bits and encoding."""
        return encode_png(quantise(pixels, self.bits), self.staging.encoding)

    def located(self, error: StimgenError) -> StimgenError:
        """Return the error with the line of the protocol that it is about."""
        return locate_source_error(error, self.lines)


def locate_source_error(error: StimgenError, lines: Mapping[str, Location]) -> StimgenError:
    """Return the error with the line, of those of a source, that it is about."""
    return add_location(error, lines[error.key if isinstance(error, SourceKeyError) else "file"])


def add_location(error: StimgenError, where: Location) -> StimgenError:
    """Return the error with the line that names the source, keeping the file that it speaks of."""
    file = f"{error.where}: " if error.where is not None else ""
    return StimgenError(
        file + error.message, where=where, given=error.given, allowed=error.allowed, hint=error.hint
    )
