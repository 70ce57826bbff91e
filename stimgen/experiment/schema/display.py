"""The screen as it is declared: how large, how far, how fast, how its numbers mean light."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from stimgen.images.light import Encoding
from stimgen.images.steps import AnyStep, GeometryStep
from stimgen.reading.model import Integer, Label, Model, Number, Text, validation_error

Positive = Annotated[Number, Field(gt=0.0, le=100_000.0)]
PixelCount = Annotated[Integer, Field(ge=16, le=16_384)]
MAX_SCREEN_PIXELS = 2**26  # of a screen; those of 8K have half as many


def _check_resolution(resolution: tuple[int, int]) -> tuple[int, int]:
    if resolution[0] * resolution[1] > MAX_SCREEN_PIXELS:
        raise validation_error(f"a screen of {resolution[0]} x {resolution[1]} pixels is larger than any")
    return resolution


Resolution = Annotated[tuple[PixelCount, PixelCount], AfterValidator(_check_resolution)]


class LinearisedTransfer(Model):
    """A screen whose light is proportional to its numbers, through a table."""

    linearised: Annotated[Text, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Date of the table: YYYY-MM-DD."""


class SizeInDegrees(Model):
    """A size to which pictures are resampled."""

    degrees: Annotated[Positive, Field(lt=180.0)]
    """Width of what is shown of a picture, in degrees of visual angle."""


class FixationMark(Model):
    """What is to be looked at."""

    shape: Literal["dot", "cross", "bullseye", "none"] = "dot"
    """The last is for pictures at fixation that nothing should cover."""
    degrees: Annotated[Positive, Field(lt=90.0)] = 0.2
    """Width in degrees of visual angle."""
    value: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.0
    """Encoded grey."""


class PhotodiodePatch(Model):
    """A patch in a corner that is white while pictures are shown and black otherwise."""

    corner: Literal["upper left", "upper right", "lower left", "lower right"] = "lower left"
    """Where it is."""
    pixels: Annotated[Integer, Field(ge=4, le=400)] = 40
    """Its side."""


class DisplaySettings(Model):
    """The screen. Either `monitor`, or `width_cm`, `distance_cm` and `resolution`, or `pixels_per_degree`."""

    monitor: Label | None = None
    """Name of a monitor that ``stimgen display-check`` measured: the file ``monitors/NAME.yaml`` beside the
    experiment; or one of PsychoPy's Monitor Center."""
    resolution: Resolution | None = None
    """Width and height in pixels."""
    width_cm: Positive | None = None
    """Of what shows pixels."""
    distance_cm: Positive | None = None
    """From the eye to the screen."""
    pixels_per_degree: Positive | None = None
    """At fixation."""
    refresh_hz: Annotated[Positive, Field(ge=10.0, le=1000.0)] = 60.0
    """Declared; a session measures it and compares."""
    screen: Annotated[Integer, Field(ge=0)] = 0
    """Which of the computer's screens."""
    background: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.5
    """Encoded grey, in the screen's own encoding."""
    transfer: Literal["srgb"] | LinearisedTransfer = "srgb"
    """How the screen's numbers mean light: as IEC 61966-2-1, or in proportion."""
    mismatch: Literal["refuse", "convert"] = "refuse"
    """What is done with a set whose pictures are encoded otherwise."""
    size: Literal["native"] | SizeInDegrees = "native"
    """A pixel of the picture for a pixel of the screen, or resampled."""
    aperture: AnyStep | None = None
    """A window through which pictures are seen: one of the steps that protocols have, in pixels of the
    picture."""
    fixation: FixationMark = FixationMark()
    """What is to be looked at."""
    photodiode: PhotodiodePatch | None = None
    """A patch for a photodiode."""
    unverified_timing: Literal["refuse", "mark"] = "refuse"
    """What is done where the screen's timing could not be verified: no session, or a mark in every line."""

    @property
    def encoding(self) -> Encoding:
        """How the screen's numbers mean light."""
        return "srgb" if self.transfer == "srgb" else "linear"

    @model_validator(mode="after")
    def _check_aperture(self) -> DisplaySettings:
        if self.aperture is not None and not isinstance(self.aperture, GeometryStep):
            raise validation_error(f"the step {self.aperture.name!r} is no aperture", at="aperture")
        return self

    @property
    def table(self) -> str | None:
        """Date of the table that makes light proportional to numbers; None without one."""
        return None if self.transfer == "srgb" else self.transfer.linearised

    @model_validator(mode="after")
    def _check_one_way(self) -> DisplaySettings:
        if self.monitor is not None:
            for name in ("width_cm", "distance_cm", "pixels_per_degree"):
                if getattr(self, name) is not None:
                    raise validation_error("the monitor has it already: say the one or the other", at=name)
            return self
        if self.resolution is None:
            raise validation_error(
                "the screen's resolution is missing", hint="resolution: [1920, 1080], or monitor: NAME"
            )
        measured = self.width_cm is not None and self.distance_cm is not None
        if measured == (self.pixels_per_degree is not None):
            raise validation_error("say either width_cm and distance_cm, or pixels_per_degree")
        return self
