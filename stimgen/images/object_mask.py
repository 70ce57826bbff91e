"""Describes where the object of a photograph is: by a file, transparency, a key colour or lightness."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, Tag

from stimgen.images.light import Plane
from stimgen.reading.model import KindOf, Model, Number, Text

Fraction = Annotated[Number, Field(ge=0.0, le=1.0)]
HexColour = Annotated[Text, Field(pattern="^#[0-9A-Fa-f]{6}$")]
MaskPath = Annotated[Text, Field(min_length=1, max_length=500)]
Encoded = NDArray[np.float32]
"""Height x width x 3, encoded, in [0, 1]."""


class _MaskEdge(Model):
    """Describes the edge of a mask."""

    feather: Annotated[Number, Field(ge=0.0, le=512.0)] = 0.0
    """Width in pixels of the prepared picture of a soft edge inside the mask: half a period of a cosine."""


class FileMask(_MaskEdge):
    """Takes a picture of the photograph's size, white where the object is."""

    file: MaskPath
    """A path like that of the source, in which ``*`` stands for the name of the source's file."""


class ComputedMask(_MaskEdge, ABC):
    """Takes the object from the photograph itself."""

    @abstractmethod
    def weigh(self, colours: Encoded, alpha: Plane | None) -> Plane | None:
        """Return how much of every pixel belongs to the object, in [0, 1]; None if there is nothing to hide.

        `colours` are the whole photograph's, and `alpha` is its opacity, if its file has one.
        """

    def find_solid(self, weights: Plane) -> NDArray[np.bool_]:
        """Return which pixels surely have the object's colour; the others take that of the nearest of them.

        So the background's colour does not mix with the object's where the picture is resampled.
        """
        solid = weights == 1.0
        return solid if solid.any() else weights > 0.0


class AlphaMask(ComputedMask):
    """Takes the opaque parts of a cut-out; the softness of its edges is kept."""

    alpha: Literal[True] = True
    """Says that the file's own transparency is the mask."""

    def weigh(self, colours: Encoded, alpha: Plane | None) -> Plane | None:
        """Return the opacity; None if all is opaque."""
        del colours
        return None if alpha is None or bool((alpha == 1.0).all()) else alpha

    def find_solid(self, weights: Plane) -> NDArray[np.bool_]:
        """Return all that is not fully transparent: files keep the object's colour there."""
        return weights > 0.0


class KeyMask(ComputedMask):
    """Takes all but a colour, such as that of a green screen."""

    key: HexColour
    """The background's colour, such as ``"#00ff00"``."""
    tolerance: Fraction = 0.2
    """Distance from the key up to which a pixel is background: that of encoded red, green and blue, of which
    black and white are 1 apart."""
    softness: Fraction = 0.1
    """Further distance over which pixels become object."""

    def weigh(self, colours: Encoded, alpha: Plane | None) -> Plane | None:
        """Return a ramp of the distance from the key; None if no pixel has the key's colour."""
        del alpha
        key = np.array([int(self.key[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        distance = np.sqrt(((colours.astype(np.float64) - key) ** 2).mean(2))
        beyond = distance - self.tolerance
        weights = np.clip(beyond / self.softness, 0.0, 1.0) if self.softness else (beyond > 0).astype(float)
        return None if weights.min() == 1.0 else weights


class ThresholdMask(ComputedMask):
    """Takes what is not part of a white, or black, background that touches the picture's border."""

    threshold: Fraction
    """Encoded value: pixels whose red, green and blue are all at least that light are white."""
    background: Literal["white", "black"] = "white"
    """``black``: pixels whose red, green and blue are all at most `threshold` are background."""

    def weigh(self, colours: Encoded, alpha: Plane | None) -> Plane | None:
        """Return 0 for background that touches the border and 1 elsewhere; None if there is none."""
        from scipy.ndimage import label

        del alpha
        white = self.background == "white"
        flat = colours.min(2) >= self.threshold if white else colours.max(2) <= self.threshold
        labels, _ = label(flat)
        border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        weights: Plane = (~np.isin(labels, border[border > 0])).astype(np.float64)
        return None if weights.min() == 1.0 else weights


KINDS: dict[str, type[_MaskEdge]] = {
    "file": FileMask,
    "alpha": AlphaMask,
    "key": KeyMask,
    "threshold": ThresholdMask,
}


def _find_kind(value: Any) -> str | None:
    """Return the tag of a mask, which protocols do not write: errors leave out such steps of a path."""
    if isinstance(value, Mapping):
        return next((f"by_{kind}" for kind in KINDS if kind in value), None)
    return next((f"by_{kind}" for kind, model in KINDS.items() if isinstance(value, model)), "path")


def _read_word(value: Any) -> Any:
    return AlphaMask() if value == "alpha" else value


ObjectMask = Annotated[
    Annotated[MaskPath, Tag("path")]
    | Annotated[FileMask, Tag("by_file")]
    | Annotated[AlphaMask, Tag("by_alpha")]
    | Annotated[KeyMask, Tag("by_key")]
    | Annotated[ThresholdMask, Tag("by_threshold")],
    KindOf(_find_kind, "a mask has one of these keys", tuple(KINDS), "mask"),
    BeforeValidator(_read_word),
]
"""Where the object is: a path, ``alpha``, or a mapping with ``file``, ``alpha``, ``key`` or ``threshold``."""


def soften_edge(weights: Plane, feather: float) -> Plane:
    """Return a mask whose weights rise over `feather` pixels from its edge inwards, by half a cosine.

    The border of the picture is no edge.
    """
    from scipy.ndimage import distance_transform_edt

    inside = weights >= 0.5
    if not feather or bool(inside.all()):
        return weights
    depth = np.clip((distance_transform_edt(inside) - 0.5) / feather, 0.0, 1.0)
    softened: Plane = weights * (0.5 - 0.5 * np.cos(np.pi * depth))
    return softened


def spread_colours(levels: NDArray[Any], solid: NDArray[np.bool_]) -> NDArray[Any]:
    """Return levels, height x width x channels, with the nearest solid pixel's colour in all others."""
    from scipy.ndimage import distance_transform_edt

    if solid.all() or not solid.any():
        return levels
    rows, columns = distance_transform_edt(~solid, return_distances=False, return_indices=True)
    spread: NDArray[Any] = levels[rows, columns]
    return spread
