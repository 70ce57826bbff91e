"""The picture that a condition's synthesis starts from, found and measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stimgen.images.read import ImageFile, read_image_file
from stimgen.protocol.files import find_file
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource, add_location
from stimgen.reading.errors import StimgenError


def find_start_image(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], root: Path | None
) -> ImageFile | None:
    """Return the picture that condition `i` starts from; None where it starts from no picture.

    Raises
    ------
    StimgenError
        The picture is missing, outside its folder, no image, or does not fit one of the sources.
    """
    picture = loaded.protocol.conditions[i].resolved_method.start.picture
    if picture is None:
        return None
    try:
        image = read_image_file(find_file("the start image", picture, loaded.folder, root))
        _check_sizes(image, sources)
    except StimgenError as error:
        raise add_location(error, loaded.where(i, "synthesis", "start")) from None
    return image


def _check_sizes(image: ImageFile, sources: Sequence[PlannedSource]) -> None:
    """Refuse a picture that, prepared as a source is, has another size than the source."""
    for source in sources:
        height, width, _ = source.preparation.shape(image)
        if (height, width) != source.shape[:2]:
            raise StimgenError(
                f"prepared as the source {source.id!r} is, the start image has {width} x {height} pixels, "
                f"the source {source.shape[1]} x {source.shape[0]}"
            )
