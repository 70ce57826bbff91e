"""Turns photographs into the pixels that a model measures: preparation, mask, steps and canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field

from stimgen.images.canvas import Canvas, CanvasPlace
from stimgen.images.cut_out import cut_out
from stimgen.images.light import Encoding
from stimgen.images.object_mask import ComputedMask, FileMask, ObjectMask, soften_edge
from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec, measure_clipping
from stimgen.images.prepare import ImageSize, Pixels, Preparation, Size
from stimgen.images.read import ImageFile
from stimgen.images.sequence import apply_steps, final_size
from stimgen.images.steps import ImageStep, Steps
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number, validation_error

BACKGROUND = 0.5


def _refuse_synthesis_steps(steps: tuple[ImageStep, ...]) -> tuple[ImageStep, ...]:
    for step in steps:
        if step.needs_synthesis:
            message = f"{step.name!r} compares a synthesised picture with its source"
            raise validation_error(message, hint="write it under `after`")
    return steps


class SourcePresentation(Model):
    """Says what is done with a source between its preparation and the measurement by a model."""

    mask: ObjectMask | None = None
    """Picture of the photograph's size, white where the object is and black elsewhere; a path like `file`, in
    which ``*`` stands for the name of the source's file. It is cropped and resampled like the photograph. Or
    ``alpha`` for the file's own transparency, ``{key: "#00ff00"}`` for a green screen, ``{threshold: 0.95}``
    for a white background."""
    background: Annotated[Number, Field(ge=0.0, le=1.0)] = BACKGROUND
    """Grey outside masks, apertures and places, also those of `after`: the encoded value divided by the
    largest, so that 130 of 255 is 0.5098."""
    before: Annotated[Steps, AfterValidator(_refuse_synthesis_steps)] = ()
    """Steps before synthesis, in their order: after the mask, before the canvas."""
    canvas: Canvas | None = None
    """A field on which the source appears once or several times."""


class SourceFiles(NamedTuple):
    """Holds the files of a source."""

    image: ImageFile
    mask: ImageFile | None = None


class ModelInput(NamedTuple):
    """Holds the pixels that a model measures."""

    pixels: Pixels
    """Height x width x channels, range [0, 1]."""
    clipped: float
    """Fraction of the values that were clipped to this range."""


class SourceKeyError(StimgenError):
    """Reports an error that is due to one key: ``mask``, ``before``, ``canvas`` or ``matching``."""

    def __init__(self, key: str, error: StimgenError) -> None:
        file = f"{error.where}: " if error.where is not None else ""
        message = f"{key}: {file}{error.message}"
        super().__init__(message, given=error.given, allowed=error.allowed, hint=error.hint)
        self.key = key


@dataclass(frozen=True)
class SourcePipeline:
    """Computes the pixels that a model measures from a photograph's files."""

    preparation: Preparation
    """Crop, size and channels."""
    presentation: SourcePresentation
    """Mask, steps and canvas. To compute pixels, no step may name the mean over the set any more."""
    encoding: Encoding = "srgb"
    match: Callable[[MaskedPicture], MaskedPicture] | None = None
    """Gives the picture what it shares with other sources, after the steps and before the canvas."""

    @property
    def screen(self) -> ScreenSpec:
        """Return the encoding and background that the source is shown with."""
        return ScreenSpec(self.encoding, self.presentation.background)

    def shape(self, image: ImageFile) -> tuple[int, int, int]:
        """Return height, width and channels of the pixels, which needs only the file's header.

        Raises `StimgenError` if a step or a place does not fit, or for the reasons of
        `Preparation.output_size`.
        """
        *_, channels = self.preparation.shape(image)
        sizes, canvas = self._list_sizes(image), self.presentation.canvas
        width, height = canvas.size if canvas else sizes[0]
        return height, width, channels

    def recipe(self, files: SourceFiles) -> dict[str, Any]:
        """Return everything that determines the pixels, without settings that are not used.

        Raises `StimgenError` if mask and photograph differ in size, or for the reasons of `shape`.
        """
        image, mask = files
        presentation, sizes = self.presentation, self._list_sizes(image)
        found = self.preparation.recipe(image)
        said = presentation.mask
        if mask is not None:
            with _name_key_in_errors("mask"):
                _refuse_other_size(image, mask)
            feather = said.feather if isinstance(said, FileMask) else 0.0
            found["mask"] = {"sha256": mask.sha256, "feather": feather} if feather else mask.sha256
            if mask.conversions:
                found["mask_read"] = mask.conversions
        elif isinstance(said, ComputedMask):
            found["mask"] = said.to_dict()
        if presentation.before:
            found["before"] = [step.recipe() for step in presentation.before]
        if presentation.canvas is not None:
            found["canvas"] = presentation.canvas.recipe(sizes)
        if presentation.background != BACKGROUND:
            found["background"] = presentation.background
        if self.encoding != "srgb":
            found["encoding"] = self.encoding
        return found

    def prepare_picture(self, files: SourceFiles, size: Size | None = None) -> MaskedPicture:
        """Return the photograph before any step, visible where its mask is white.

        Raises `StimgenError` if a file is damaged, or nothing of the mask is white.
        """
        image, mask = files
        preparation, said = self._preparation(size), self.presentation.mask
        if isinstance(said, ComputedMask):
            with _name_key_in_errors("mask"):
                return cut_out(image, preparation, said, self.screen)
        picture = MaskedPicture.from_pixels(preparation.prepare(image), self.screen)
        if mask is None:
            return picture
        with _name_key_in_errors("mask"):
            _refuse_other_size(image, mask)
            weights = preparation.replace(channels="grey").prepare(mask)[:, :, 0].astype(np.float64)
            if not weights.any():
                raise StimgenError("is black within the crop: the object should be white", where=mask.file)
            if isinstance(said, FileMask):
                weights = soften_edge(weights, said.feather)
        return picture.apply_mask(weights)

    def compute_input(self, files: SourceFiles) -> ModelInput:
        """Return the pixels that a model measures.

        Raises `StimgenError` if a file is damaged, or a step is impossible.
        """
        self._list_sizes(files.image)
        canvas = self.presentation.canvas
        if canvas is None:
            pixels = self._apply_before(files, None).render()
        else:
            pictures = {place.size: self._apply_before(files, place.size) for place in canvas.places}
            pixels = canvas.compose([pictures[place.size] for place in canvas.places])
        return ModelInput(np.clip(pixels, 0.0, 1.0), measure_clipping(pixels))

    def _preparation(self, size: Size | None) -> Preparation:
        return self.preparation if size is None else self.preparation.replace(size=size)

    def _apply_before(self, files: SourceFiles, size: Size | None) -> MaskedPicture:
        picture = self.apply_steps(files, size)
        if self.match is None:
            return picture
        with _name_key_in_errors("matching"):
            return self.match(picture)

    def apply_steps(self, files: SourceFiles, size: Size | None = None) -> MaskedPicture:
        """Return the photograph after its steps, and before it is matched with others.

        Raises `StimgenError` if a file is damaged, or a step is impossible.
        """
        picture = self.prepare_picture(files, size)
        with _name_key_in_errors("before"):
            return apply_steps(self.presentation.before, PictureAndSource(picture, picture))

    def size_after_steps(self, image: ImageFile) -> ImageSize:
        """Return width and height of the photograph after its steps; raises as `shape`."""
        return self._list_sizes(image)[0]

    def _list_sizes(self, image: ImageFile) -> list[ImageSize]:
        """Return the picture's size after all steps, for every place; refuse what does not fit."""
        canvas = self.presentation.canvas
        found = []
        for place in canvas.places if canvas else [CanvasPlace()]:
            sides = self._preparation(place.size).output_size(image)
            with _name_key_in_errors("before"):
                found.append(final_size(self.presentation.before, *sides))
            if canvas:
                with _name_key_in_errors("canvas"):
                    canvas.find_corner(place, found[-1])
        return found


@contextmanager
def _name_key_in_errors(key: str) -> Iterator[None]:
    """Add to errors the key that they are about."""
    try:
        yield
    except SourceKeyError:
        raise
    except StimgenError as error:
        raise SourceKeyError(key, error) from None


def _refuse_other_size(image: ImageFile, mask: ImageFile) -> None:
    if mask.size != image.size:
        (width, height), (wide, high) = mask.size, image.size
        message = f"has {width} x {height} pixels, the photograph {wide} x {high}"
        raise StimgenError(message, where=mask.file)
