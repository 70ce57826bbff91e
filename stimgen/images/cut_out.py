"""Cuts the object of a photograph out by a mask that is computed from the photograph itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.images.object_mask import ComputedMask, Encoded, KeyMask, soften_edge, spread_colours
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile
from stimgen.reading.errors import StimgenError

WHOLE = "leave out `mask` for pictures that should be shown whole"


def cut_out(
    image: ImageFile, preparation: Preparation, mask: ComputedMask, screen: ScreenSpec
) -> MaskedPicture:
    """Return the prepared photograph, visible where the object is.

    Hidden pixels take the colour of the nearest visible ones before the picture is resampled, so that the
    background does not shine through at the edge.

    Raises `StimgenError` if the file is damaged, or if the mask hides nothing, or everything.
    """
    levels, alpha = image.decode_with_alpha()
    colours = _scale_levels(levels)
    weights = mask.weigh(colours, None if alpha is None else alpha.astype(np.float64))
    if weights is None:
        raise _explain_whole(image, mask, colours)
    weights, levels = (preparation.crop_levels(image, array) for array in (weights, levels))
    if not weights.any():
        raise StimgenError("the mask leaves nothing of the picture within the crop", where=image.file)
    pixels = preparation.prepare_levels(image, spread_colours(levels, mask.find_solid(weights)))
    grey = preparation.replace(channels="grey")
    prepared = grey.prepare_levels(image, weights.astype(np.float32)[:, :, np.newaxis])[:, :, 0]
    softened = soften_edge(prepared.astype(np.float64), mask.feather)
    if not softened.any():
        raise StimgenError("the mask leaves nothing of the prepared picture", where=image.file)
    return MaskedPicture.from_pixels(pixels, screen).apply_mask(softened)


def _scale_levels(levels: NDArray[Any]) -> Encoded:
    """Return levels as encoded colours: height x width x 3, in [0, 1]."""
    largest = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1
    scaled = levels.astype(np.float32) / np.float32(largest)
    return np.repeat(scaled, 3, axis=2) if scaled.shape[2] == 1 else scaled


def _explain_whole(image: ImageFile, mask: ComputedMask, colours: Encoded) -> StimgenError:
    """Return the error about a mask that hides nothing."""
    if not isinstance(mask, KeyMask):
        return StimgenError("the mask hides nothing of this picture", where=image.file, hint=WHOLE)
    border = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    red, green, blue = np.rint(255 * np.median(border, axis=0)).astype(int)
    message = f"no pixel is within {mask.tolerance + mask.softness:g} of the key {mask.key}"
    hint = f"the picture's border is about #{red:02x}{green:02x}{blue:02x}"
    return StimgenError(message, where=image.file, hint=hint)
