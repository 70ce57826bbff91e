"""What every step of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Tag

from stimgen.images.picture import MaskedPicture, PictureAndSource
from stimgen.reading.registry import FamilyMember

SET_MEAN = "set"
DIGITS = 6  # to which the mean over a set is rounded


def _kind_of_target(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"


TargetWord = Annotated[Literal["source", "set"], Tag("word")]
WORD_OR_NUMBER = Discriminator(_kind_of_target)


class ImageStep(FamilyMember, ABC):
    """Something done to a picture before it is measured, or before it is shown."""

    name: str

    needs_synthesis: ClassVar[bool] = False
    """Whether it compares a synthesised picture with its source, so that it makes no sense before."""

    @abstractmethod
    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        """Return a picture after the step, and its source, seen in the same places.

        Raises
        ------
        StimgenError
            The picture does not allow it.
        """

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height after the step, of a picture with these.

        Raises
        ------
        StimgenError
            Such a picture has no room for it.
        """
        return width, height

    def recipe(self) -> dict[str, Any]:
        """Return what determines what it does, for identities."""
        return self.to_dict()


class GeometryStep(ImageStep):
    """A step that changes where a picture is seen, and no value of it."""

    @abstractmethod
    def apply_geometry(self, picture: MaskedPicture) -> MaskedPicture:
        """Return the picture, seen only in some places.

        Raises
        ------
        StimgenError
            It has no room for the step.
        """

    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        """Return both seen in the same places."""
        return PictureAndSource(self.apply_geometry(pair.picture), self.apply_geometry(pair.source))


class MatchingStep(ImageStep):
    """A step that gives a picture a certain value of one measure: a number, the source's or the set's."""

    @property
    @abstractmethod
    def target(self) -> float | str:
        """The value, or the word for it."""

    @abstractmethod
    def measure(self, picture: MaskedPicture) -> float:
        """Return the measure of a picture.

        Raises
        ------
        StimgenError
            The picture has none.
        """

    @abstractmethod
    def set_measure(self, picture: MaskedPicture, value: float) -> MaskedPicture:
        """Return the picture with `value` as its measure.

        Raises
        ------
        StimgenError
            No change of this kind leads there.
        """

    @abstractmethod
    def with_target(self, value: float) -> MatchingStep:
        """Return the step with a number for its word."""

    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        """Return the picture with the value that is wanted."""
        value = self.target if isinstance(self.target, float) else self.measure(pair.source)
        return replace(pair, picture=self.set_measure(pair.picture, value))
