"""Defines the settings of the screen: its size, distance, refresh rate and encoding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from stimgen.images.light import Encoding
from stimgen.images.steps import AnyStep, GeometryStep
from stimgen.reading.model import Integer, Label, Model, Number, Text, validation_error

Positive = Annotated[Number, Field(gt=0.0, le=100_000.0)]
PixelCount = Annotated[Integer, Field(ge=16, le=16_384)]
TableDate = Annotated[Text, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
MAX_SCREEN_PIXELS = 2**26  # twice the pixels of an 8K screen


def _check_resolution(resolution: tuple[int, int]) -> tuple[int, int]:
    width, height = resolution
    if width * height > MAX_SCREEN_PIXELS:
        raise validation_error(
            f"a screen of {width} x {height} pixels is too large: at most {MAX_SCREEN_PIXELS:,} pixels"
        )
    return resolution


Resolution = Annotated[tuple[PixelCount, PixelCount], AfterValidator(_check_resolution)]


class LinearisedTransfer(Model):
    """Describes a screen that a lookup table makes linear: luminance is proportional to pixel values."""

    linearised: TableDate
    """Date of the table: YYYY-MM-DD."""


class SizeInDegrees(Model):
    """Gives the size to which pictures are resampled."""

    degrees: Annotated[Positive, Field(lt=180.0)]
    """Width of the shown part of a picture, in degrees of visual angle at fixation. On a flat screen the same
    pixels are fewer degrees away from it: 4 degrees are 3.5 at an eccentricity of 20. `stimgen trials` and
    journals give the width and height at the place of each picture (``size_degrees``)."""


class FixationMark(Model):
    """Describes the fixation mark."""

    shape: Literal["dot", "cross", "bullseye", "none"] = "dot"
    """``none`` is for pictures at fixation that no mark should cover."""
    degrees: Annotated[Positive, Field(lt=90.0)] = 0.2
    """Width in degrees of visual angle."""
    value: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.0
    """Grey value from 0 to 1, in the screen's encoding."""


class PhotodiodePatch(Model):
    """Describes a patch in a corner that is white while pictures are shown, and black otherwise."""

    corner: Literal["upper left", "upper right", "lower left", "lower right"] = "lower left"
    """Corner of the screen."""
    pixels: Annotated[Integer, Field(ge=4, le=400)] = 40
    """Width and height."""


class DisplaySettings(Model):
    """Describes the screen by `monitor`; or by `resolution` and its size and distance, or its scale."""

    monitor: Label | None = None
    """Name of a monitor that ``stimgen display-check`` measured (the file ``monitors/NAME.yaml`` beside the
    experiment), or of a monitor in PsychoPy's Monitor Center."""
    resolution: Resolution | None = None
    """Width and height in pixels."""
    width_cm: Positive | None = None
    """Width of the visible picture area."""
    distance_cm: Positive | None = None
    """Distance from the eye to the screen."""
    pixels_per_degree: Positive | None = None
    """Pixels per degree of visual angle at fixation."""
    refresh_hz: Annotated[Positive, Field(ge=10.0, le=1000.0)] = 60.0
    """Declared refresh rate; a session measures it and compares."""
    screen: Annotated[Integer, Field(ge=0)] = 0
    """Number of the computer's screen, from 0."""
    background: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.5
    """Grey value from 0 to 1, in the screen's encoding."""
    transfer: Literal["srgb"] | LinearisedTransfer = "srgb"
    """How pixel values relate to luminance: by the sRGB curve (IEC 61966-2-1), or linearly."""
    mismatch: Literal["refuse", "convert"] = "refuse"
    """What to do with a set whose pictures have another encoding than the screen."""
    size: Literal["native"] | SizeInDegrees = "native"
    """``native``: one pixel of the picture is one pixel of the screen; otherwise pictures are resampled."""
    aperture: AnyStep | None = None
    """Window through which pictures are seen: a processing step as in protocols, in pixels of the picture."""
    fixation: FixationMark = FixationMark()
    """Fixation mark."""
    photodiode: PhotodiodePatch | None = None
    """Patch for a photodiode."""
    unverified_timing: Literal["refuse", "mark"] = "refuse"
    """If the screen's timing cannot be verified: ``refuse`` the session, or ``mark`` every line of the
    journal."""

    @property
    def encoding(self) -> Encoding:
        """Return how pixel values relate to luminance."""
        return "srgb" if self.transfer == "srgb" else "linear"

    @property
    def table(self) -> str | None:
        """Return the date of the lookup table that linearises the screen; None if there is none."""
        return None if self.transfer == "srgb" else self.transfer.linearised

    @model_validator(mode="after")
    def _check_aperture(self) -> DisplaySettings:
        if self.aperture is not None and not isinstance(self.aperture, GeometryStep):
            raise validation_error(f"the step {self.aperture.name!r} is not an aperture", at="aperture")
        return self

    @model_validator(mode="after")
    def _check_one_way(self) -> DisplaySettings:
        if self.monitor is not None:
            for name in ("width_cm", "distance_cm", "pixels_per_degree"):
                if getattr(self, name) is not None:
                    raise validation_error(
                        f"give either monitor or {name}: the monitor's file has it", at=name
                    )
            return self
        if self.resolution is None:
            raise validation_error(
                "the screen's resolution is missing", hint="add resolution: [1920, 1080], or monitor: NAME"
            )
        measured = self.width_cm is not None and self.distance_cm is not None
        if measured == (self.pixels_per_degree is not None):
            raise validation_error("give either width_cm and distance_cm, or pixels_per_degree")
        return self
