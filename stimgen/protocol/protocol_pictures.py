"""Selects the pictures that a condition is made from, compared with and started from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stimgen.images.read import read_image_file
from stimgen.protocol.files import find_file, resolve_inside
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import FoundFile, PlannedSource, add_location
from stimgen.reading.errors import StimgenError


def select_sources(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource]
) -> Sequence[PlannedSource]:
    """Return the sources of condition `i`, in the protocol's order; refuse unknown ones by `StimgenError`."""
    wanted = loaded.protocol.conditions[i].sources
    if wanted is None:
        return sources
    known = [source.id for source in sources]
    for j, name in enumerate(wanted):
        if name not in known:
            where = loaded.document.where(("conditions", i, "sources", j))
            raise StimgenError(f"there is no source {name!r}", where=where, given=name, allowed=known)
    return [source for source in sources if source.id in wanted]


def select_targets(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], pictures: Sequence[PlannedSource]
) -> tuple[PlannedSource, ...]:
    """Return the pictures that the targets of condition `i` name.

    Raises `StimgenError` if there is no such picture, or if its size differs from that of one of the
    condition's `sources`.
    """
    known = {picture.id: picture for picture in pictures}
    where = loaded.document.where(("conditions", i))
    names = loaded.protocol.conditions[i].resolved_method.pictures
    for name in names:
        if name not in known:
            raise StimgenError(
                f"there is no picture {name!r} for the target",
                where=where,
                given=name,
                allowed=list(known),
                hint="list it under `references`",
            )
        for source in sources:
            if source.shape != known[name].shape:
                raise StimgenError(
                    f"the target {name!r} has {_describe_shape(known[name])}, "
                    f"the source {source.id!r} {_describe_shape(source)}: they must be alike",
                    where=where,
                    hint="say `crop`, `size` and `channels` in `preparation`",
                )
    return tuple(known[name] for name in names)


def _describe_shape(picture: PlannedSource) -> str:
    height, width, channels = picture.shape
    return f"{width} x {height} pixels {'in grey' if channels == 1 else 'in colour'}"


def find_start_image(
    loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource], root: Path | None
) -> FoundFile | None:
    """Return the picture that condition `i` starts from; None if it starts from no picture.

    Raises `StimgenError` if the picture is missing, outside its folder or no image, or if, prepared as a
    source is, it has another size than the source.
    """
    picture = loaded.protocol.conditions[i].resolved_method.start.picture
    if picture is None:
        return None
    try:
        image = read_image_file(
            find_file("the start image", picture, loaded.folder, root),
            encoding=loaded.protocol.output.encoding,
        )
        for source in sources:
            height, width, _ = source.preparation.shape(image)
            if (height, width) != source.shape[:2]:
                raise StimgenError(
                    f"prepared as the source {source.id!r} is, the start image has {width} x {height} "
                    f"pixels, the source {source.shape[1]} x {source.shape[0]}"
                )
    except StimgenError as error:
        raise add_location(error, loaded.where(i, "synthesis", "start")) from None
    return FoundFile.from_image(image)


def find_region_files(loaded: LoadedProtocol, i: int, root: Path | None) -> tuple[Path, ...]:
    """Return the files that the pooling regions of condition `i` are read from.

    Raises `StimgenError` if one lies outside of the protocol's folder and of `root`.
    """
    files = loaded.protocol.conditions[i].resolved_method.region_files
    try:
        return tuple(resolve_inside(Path(file), loaded.folder, root) for file in files)
    except StimgenError as error:
        raise add_location(error, loaded.where(i, "regions")) from None
