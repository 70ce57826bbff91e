"""What every kind of start offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from stimgen.images.prepare import Pixels
from stimgen.reading.registry import FamilyMember


class Start(FamilyMember, ABC):
    """A start image as a protocol names it."""

    name: str
    wants_source: ClassVar[bool] = False
    """Whether `pixels` is to be given the source."""

    @property
    def picture(self) -> str | None:
        """The file, as a source's ``file`` is written, that has to be read for this start; None: none."""
        return None

    @abstractmethod
    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return what determines the start, given the hash of `picture`."""

    @abstractmethod
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return the start image.

        Parameters
        ----------
        shape : tuple of int
            Height, width, channels.
        key : tuple
            SHA-256 of the source's file and the stimulus' seed.
        picture : Pixels or None
            The prepared `picture`, or the source where it is wanted.
        """
