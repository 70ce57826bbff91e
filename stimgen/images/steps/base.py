"""What every step of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Tag

from stimgen.images.picture import Pair, Picture
from stimgen.reading.registry import FamilyMember

SET = "set"
DIGITS = 6  # to which the mean over a set is rounded


def _kind(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"


Word = Annotated[Literal["source", "set"], Tag("word")]
WORD_OR_NUMBER = Discriminator(_kind)


class Step(FamilyMember, ABC):
    """Something done to a picture before it is measured, or before it is shown."""

    name: str

    needs_synthesis: ClassVar[bool] = False
    """Whether it compares a synthesised picture with its source, so that it makes no sense before."""

    @abstractmethod
    def apply(self, pair: Pair) -> Pair:
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
        return self.plain()


class Geometry(Step):
    """A step that changes where a picture is seen, and no value of it."""

    @abstractmethod
    def place(self, picture: Picture) -> Picture:
        """Return the picture, seen only in some places.

        Raises
        ------
        StimgenError
            It has no room for the step.
        """

    def apply(self, pair: Pair) -> Pair:
        """Return both seen in the same places."""
        return Pair(self.place(pair.picture), self.place(pair.source))


class Matching(Step):
    """A step that gives a picture a certain value of one measure: a number, the source's or the set's."""

    @property
    @abstractmethod
    def wanted(self) -> float | str:
        """The value, or the word for it."""

    @abstractmethod
    def measure(self, picture: Picture) -> float:
        """Return the measure of a picture.

        Raises
        ------
        StimgenError
            The picture has none.
        """

    @abstractmethod
    def reach(self, picture: Picture, value: float) -> Picture:
        """Return the picture with `value` as its measure.

        Raises
        ------
        StimgenError
            No change of this kind leads there.
        """

    @abstractmethod
    def settled(self, value: float) -> Matching:
        """Return the step with a number for its word."""

    def apply(self, pair: Pair) -> Pair:
        """Return the picture with the value that is wanted."""
        value = self.wanted if isinstance(self.wanted, float) else self.measure(pair.source)
        return replace(pair, picture=self.reach(pair.picture, value))
