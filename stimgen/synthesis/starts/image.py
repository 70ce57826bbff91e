"""Starts from another picture."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Text
from stimgen.synthesis.starts.base import Start


class ImageStart(Start):
    """Starts from another picture, prepared as the source is (crop, channels, size)."""

    phrase = "another image"

    name: Literal["image"] = "image"
    file: Annotated[Text, Field(min_length=1)]
    """Path relative to the protocol, or skimage:NAME."""

    @property
    @override
    def picture(self) -> str | None:
        return self.file

    @override
    def recipe(self, picture_sha256: str | None) -> dict[str, Any]:
        """Return the picture's hash, whatever its path."""
        return {"name": self.name, "sha256": picture_sha256}

    @override
    def pixels(self, shape: tuple[int, int, int], key: tuple[str, int], picture: Pixels | None) -> Pixels:
        """Return the picture; one channel and three are converted into each other."""
        if picture is None or picture.shape[:2] != shape[:2]:
            raise StimgenError(f"the start image {self.file} has another shape than the source")
        if shape[2] == 1:
            grey: Pixels = np.mean(picture, axis=2, keepdims=True, dtype=np.float32)
            return grey
        return picture.repeat(3, axis=2) if picture.shape[2] == 1 else picture
