"""Defines what every start image offers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import normal
from stimgen.reading.registry import FamilyMember


class Start(FamilyMember, ABC):
    """Makes the image that a synthesis starts from."""

    name: str
    wants_source: ClassVar[bool] = False
    """Whether `pixels` needs the source."""

    @property
    def picture(self) -> str | None:
        """Return the file to read, written as a source's ``file`` is; None: the start needs none."""
        return None

    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return what determines the start, given the hash of `picture`; every recipe holds the source."""
        del picture_sha256  # most starts have none
        return self.to_dict()

    @abstractmethod
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return the start image, of a shape of height x width x channels.

        The key is the SHA-256 of the source's file with the stimulus' seed. The picture is the prepared
        `picture`, or the source if `wants_source`.
        """


def draw_normal_noise(shape: tuple[int, int, int], key: tuple[str, int]) -> NDArray[np.float64]:
    """Return normal numbers of deviation 1, the same for all conditions of one source and seed."""
    return normal(math.prod(shape), "start", *key).reshape(shape)


def require_source(source: Pixels | None, shape: tuple[int, int, int]) -> Pixels:
    """Return the source; raise `StimgenError` if it is missing or has another shape."""
    if source is None or source.shape != shape:
        raise StimgenError("the start needs the source itself")
    return source
