"""Defines what every step offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Tag
from typing_extensions import override

from stimgen.images.picture import MaskedPicture, PictureAndSource
from stimgen.images.prepare import ImageSize
from stimgen.reading.registry import FamilyMember

SET_MEAN = "set"
DIGITS = 6  # to which the mean over a set is rounded


TargetWord = Annotated[Literal["source", "set"], Tag("word")]
WORD_OR_NUMBER = Discriminator(lambda value: "word" if isinstance(value, str) else "number")


class ImageStep(FamilyMember, ABC):
    """Changes a picture before it is measured, or before it is shown.

    All methods raise a `StimgenError` if the picture does not allow it, for example because it is too small.
    """

    name: str

    needs_synthesis: ClassVar[bool] = False
    """Whether it compares a synthesised picture with its source, and so is impossible before synthesis."""

    @abstractmethod
    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        """Return the picture after the step, and its source with the same mask."""

    def size(self, width: int, height: int) -> ImageSize:
        """Return width and height after the step of a picture with this width and height."""
        return width, height

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines what the step does, for identities."""
        return self.to_dict()


class GeometryStep(ImageStep):
    """Changes which part of a picture is visible, and none of its values."""

    @abstractmethod
    def apply_geometry(self, picture: MaskedPicture) -> MaskedPicture:
        """Return the picture with another mask or size."""

    @override
    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        return PictureAndSource(self.apply_geometry(pair.picture), self.apply_geometry(pair.source))


class MatchingStep(ImageStep):
    """Gives one measure of a picture a certain value: a number, the source's value or the set's mean."""

    target_key: ClassVar[str]
    """Name of the field that holds the value or the word for it."""

    @property
    def target(self) -> float | str:
        """Return the value, or ``source`` or ``set``."""
        target: float | str = getattr(self, self.target_key)
        return target

    def with_target(self, value: float) -> Self:
        """Return the step with a number as its target."""
        return self.replace(**{self.target_key: value})

    @abstractmethod
    def measure(self, picture: MaskedPicture) -> float:
        """Return the measure of a picture."""

    @abstractmethod
    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        """Return the picture changed so that its measure is `value`."""

    @override
    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        value = self.target if isinstance(self.target, float) else self.measure(pair.source)
        return replace(pair, picture=self.set_measure(pair.picture, value))
