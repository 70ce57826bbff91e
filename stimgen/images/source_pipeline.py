"""How a prepared photograph is put on the screen: its mask, the steps before synthesis, the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field

from stimgen.images.canvas import Canvas, ImageSize, PlacedPicture
from stimgen.images.light import Encoding
from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec, clipped_fraction
from stimgen.images.prepare import Pixels, Preparation, Size
from stimgen.images.read import ImageFile
from stimgen.images.sequence import apply_steps, final_size, step_recipes
from stimgen.images.steps import ImageStep, Steps
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number, Text, validation_error

BACKGROUND = 0.5


def _refuse_synthesis_steps(steps: tuple[ImageStep, ...]) -> tuple[ImageStep, ...]:
    for step in steps:
        if step.needs_synthesis:
            raise validation_error(
                f"{step.name!r} compares a synthesised picture with its source", hint="write it under `after`"
            )
    return steps


class SourcePresentation(Model):
    """What becomes of a source between its preparation and a model's measuring it."""

    mask: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    """Picture of the photograph's size, white where the object is and black elsewhere; a path as `file`, in
    which ``*`` stands for the name of the source's file. Cropped and resampled as the photograph is."""
    background: Annotated[Number, Field(ge=0.0, le=1.0)] = BACKGROUND
    """Grey outside of masks, apertures and places, also those of `after`, as the encoded value over its
    largest: 130 of 255 is 0.5098."""
    before: Annotated[Steps, AfterValidator(_refuse_synthesis_steps)] = ()
    """Steps, in their order, before synthesis: over the mask, before the canvas."""
    canvas: Canvas | None = None
    """A field on which the source stands, once or several times."""


class SourceFiles(NamedTuple):
    """A source's files."""

    image: ImageFile
    mask: ImageFile | None = None


class ModelInput(NamedTuple):
    """What a model measures."""

    pixels: Pixels
    """Height x width x channels, range [0, 1]."""
    clipped: float
    """Fraction of the values that had left the range, and were clipped."""


class SourceKeyError(StimgenError):
    """An error that one key of a source is to blame for.

    Parameters
    ----------
    key : str
        ``mask``, ``before`` or ``canvas``.
    error : StimgenError
        What was wrong.
    """

    def __init__(self, key: str, error: StimgenError) -> None:
        file = f"{error.where}: " if error.where is not None else ""
        super().__init__(
            f"{key}: {file}{error.message}", given=error.given, allowed=error.allowed, hint=error.hint
        )
        self.key = key


@dataclass(frozen=True)
class SourcePipeline:
    """From a photograph's files to the pixels that a model measures.

    Attributes
    ----------
    preparation : Preparation
        Crop, size and channels.
    presentation : SourcePresentation
        Mask, steps and canvas; no step may want the mean over the set any more where pixels are asked for.
    encoding : {"srgb", "linear"}
        How values mean light.
    """

    preparation: Preparation
    presentation: SourcePresentation
    encoding: Encoding = "srgb"

    @property
    def screen(self) -> ScreenSpec:
        """What the source is shown on."""
        return ScreenSpec(self.encoding, self.presentation.background)

    def shape(self, image: ImageFile) -> tuple[int, int, int]:
        """Return height, width and channels of what a model measures, from the file's header alone.

        Raises
        ------
        StimgenError
            As `Preparation.output_size`, or a step or a place does not fit.
        """
        *_, channels = self.preparation.shape(image)
        sizes = self._fitted_sizes(image)
        canvas = self.presentation.canvas
        width, height = canvas.size if canvas else sizes[0]
        return height, width, channels

    def recipe(self, photograph: SourceFiles) -> dict[str, Any]:
        """Return what determines the pixels, written out; what is not used is left out.

        Raises
        ------
        StimgenError
            As `shape`, or the mask has another size than the photograph.
        """
        image, mask = photograph
        presentation, sizes = self.presentation, self._fitted_sizes(image)
        found = self.preparation.recipe(image)
        if mask is not None:
            with _name_key_in_errors("mask"):
                _refuse_other_size(image, mask)
            found["mask"] = mask.sha256
        if presentation.before:
            found["before"] = step_recipes(presentation.before)
        if presentation.canvas is not None:
            found["canvas"] = presentation.canvas.recipe(sizes)
        if presentation.background != BACKGROUND:
            found["background"] = presentation.background
        if self.encoding != "srgb":
            found["encoding"] = self.encoding
        return found

    def prepare_picture(self, photograph: SourceFiles, size: Size | None = None) -> MaskedPicture:
        """Return the photograph before any step, seen where its mask is white.

        Raises
        ------
        StimgenError
            A file is damaged, or nothing of the mask is white.
        """
        image, mask = photograph
        preparation = self.preparation if size is None else self.preparation.replace(size=size)
        whole = MaskedPicture.unmasked(preparation.prepare(image), self.screen)
        if mask is None:
            return whole
        with _name_key_in_errors("mask"):
            _refuse_other_size(image, mask)
            weights = preparation.replace(channels="grey").prepare(mask)[:, :, 0].astype(np.float64)
            if not weights.any():
                raise StimgenError("is black within the crop: the object is to be white", where=mask.file)
        return whole.apply_mask(weights)

    def compute_input(self, photograph: SourceFiles) -> ModelInput:
        """Return what a model measures.

        Raises
        ------
        StimgenError
            A file is damaged, or a step is impossible.
        """
        self._fitted_sizes(photograph.image)
        canvas = self.presentation.canvas
        if canvas is None:
            pixels = self._apply_before(photograph, None).render()
        else:
            pictures = {place.size: self._apply_before(photograph, place.size) for place in canvas.places}
            pixels = canvas.compose([PlacedPicture(pictures[place.size], place) for place in canvas.places])
        return ModelInput(np.clip(pixels, 0.0, 1.0), clipped_fraction(pixels))

    def _apply_before(self, photograph: SourceFiles, size: Size | None) -> MaskedPicture:
        picture = self.prepare_picture(photograph, size)
        with _name_key_in_errors("before"):
            return apply_steps(self.presentation.before, PictureAndSource(picture, picture))

    def _fitted_sizes(self, image: ImageFile) -> list[ImageSize]:
        """Return width and height after all steps, at every place; refuse what does not fit."""
        canvas = self.presentation.canvas
        found = []
        for place in canvas.places if canvas else [None]:
            size = place.size if place else None
            preparation = self.preparation if size is None else self.preparation.replace(size=size)
            sides = preparation.output_size(image)
            with _name_key_in_errors("before"):
                found.append(final_size(self.presentation.before, *sides))
            if canvas and place:
                with _name_key_in_errors("canvas"):
                    canvas.find_corner(place, found[-1])
        return found


@contextmanager
def _name_key_in_errors(key: str) -> Iterator[None]:
    """Say of errors which key they are about."""
    try:
        yield
    except SourceKeyError:
        raise
    except StimgenError as error:
        raise SourceKeyError(key, error) from None


def _refuse_other_size(image: ImageFile, mask: ImageFile) -> None:
    if mask.size != image.size:
        raise StimgenError(
            f"has {mask.size[0]} x {mask.size[1]} pixels, the photograph {image.size[0]} x {image.size[1]}",
            where=mask.file,
        )
