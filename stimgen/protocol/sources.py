"""The sources of a protocol, found, hashed and measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stimgen.images.prepare import Pixels, Preparation
from stimgen.images.read import SKIMAGE_PREFIX, read_image_file, skimage_file
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.schema import Source
from stimgen.reading.document import CONTROL
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import recipe_identity

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


@dataclass(frozen=True, eq=False)
class PlannedSource:
    """One photograph, found and hashed.

    Attributes
    ----------
    id : str
        What stimuli call it.
    name : str
        The file as it is to be recorded: relative to the protocol, or ``skimage:NAME``.
    file : Path
        Where it lies now.
    sha256 : str
        Hash of the file.
    shape : tuple of int
        Height, width and channels after preparation.
    recipe : dict
        What determines its pixels.
    spec : Source
        What the protocol says.
    where : Location
        The line that names it.
    """

    id: str
    name: str
    file: Path
    sha256: str
    shape: tuple[int, int, int]
    recipe: dict[str, Any]
    spec: Source
    where: Location

    @cached_property
    def preparation(self) -> Preparation:
        """How it becomes pixels."""
        fields = {key: getattr(self.spec, key) for key in Preparation.model_fields}
        return Preparation.model_validate(fields)

    @cached_property
    def original_name(self) -> str:
        """Name of the file that the prepared source is written to."""
        return f"{self.id}_{recipe_identity(self.recipe)[:8]}.png"

    def pixels(self) -> Pixels:
        """Return the prepared pixels: height x width x channels, range [0, 1].

        Raises
        ------
        StimgenError
            The file is damaged, or is no longer what was planned with.
        """
        image = read_image_file(self.file)
        if image.sha256 != self.sha256:
            raise StimgenError("the source has changed since the plan was made", where=self.file)
        try:
            return self.preparation.prepare(image)
        except StimgenError as error:
            raise named_by(error, self.where) from None


def plan_sources(
    loaded: LoadedProtocol, root: Path | None = None
) -> tuple[list[PlannedSource], list[PlannedSource]]:
    """Return the sources and the references of a protocol, in its order.

    Parameters
    ----------
    loaded : LoadedProtocol
        The protocol.
    root : Path, optional
        A folder that sources may lie in, beside the protocol's own.

    Raises
    ------
    StimgenError
        A source is missing, outside its folder, no image, too small, or two have one id.
    """
    sources = list(_all_planned(loaded, "sources", root))
    references = list(_all_planned(loaded, "references", root))
    _refuse_equal_ids([*sources, *references])
    return sources, references


def _all_planned(loaded: LoadedProtocol, key: str, root: Path | None) -> Iterator[PlannedSource]:
    specs: tuple[Source, ...] = getattr(loaded.protocol, key)
    for i, spec in enumerate(specs):
        where = loaded.document.where((key, i, "file"))
        try:
            for name, file in find_files(spec.file, loaded.folder, root):
                yield _planned(spec, name, file, where)
        except StimgenError as error:
            raise named_by(error, where) from None


def find_files(text: str, folder: Path, root: Path | None) -> list[tuple[str, Path]]:
    """Return the recorded names and the files that a ``file`` entry stands for.

    Raises
    ------
    StimgenError
        Nothing there, or something outside of `folder` and `root`.
    """
    if text.startswith(SKIMAGE_PREFIX):
        return [(text, skimage_file(text.removeprefix(SKIMAGE_PREFIX)))]
    if not any(letter in text for letter in "*?["):
        return [(text, _inside(folder / text, folder, root))]
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise StimgenError(f"the pattern {text!r} must stay inside the protocol's folder")
    if any("**" in part and part != "**" for part in Path(text).parts):
        # Some versions of Python refuse this, others take it for a single star.
        raise StimgenError(f"the pattern {text!r} cannot be used: ** stands alone, as in **/*.png")
    matches = [file for file in sorted(folder.glob(text)) if file.suffix.lower() in SUFFIXES]
    if not matches:
        raise StimgenError(f"no image file matches {text!r} in {folder}")
    return [(file.relative_to(folder).as_posix(), _inside(file, folder, root)) for file in matches]


def _inside(file: Path, folder: Path, root: Path | None) -> Path:
    try:
        resolved = file.resolve()
    except (OSError, RuntimeError, ValueError):
        raise StimgenError("the path of this source cannot be followed") from None
    allowed = [place.resolve() for place in (folder, root) if place is not None]
    if not any(resolved.is_relative_to(place) for place in allowed):
        raise StimgenError(
            f"the source lies outside of {allowed[0]}",
            hint="sources stay in the protocol's folder; allow another with --root FOLDER",
        )
    return resolved


def _planned(spec: Source, name: str, file: Path, where: Location) -> PlannedSource:
    if CONTROL.search(name) or "\n" in name:
        # Records could not hold it, or a terminal would obey it.
        raise StimgenError(f"the file name {name!r} is not one line of text: rename it")
    image = read_image_file(file)
    if spec.id is not None and name != spec.file:
        raise StimgenError("a pattern names its sources by their files: leave out `id`")
    return PlannedSource(
        id=spec.id or _id_from(name),
        name=name,
        file=file,
        sha256=image.sha256,
        shape=spec.shape(image),
        recipe=spec.recipe(image),
        spec=spec,
        where=where,
    )


def _id_from(name: str) -> str:
    stem = Path(name.removeprefix(SKIMAGE_PREFIX)).stem
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", stem):
        raise StimgenError(f"the file name {stem!r} cannot serve as an id: give the source an `id`")
    return stem


def _refuse_equal_ids(sources: list[PlannedSource]) -> None:
    seen: dict[str, PlannedSource] = {}
    for source in sources:
        # Without regard to case, because many file systems have none.
        other = seen.setdefault(source.id.lower(), source)
        if other is not source:
            raise StimgenError(
                f"two sources have the id {source.id!r}: {other.name} and {source.name}", where=source.where
            )


def named_by(error: StimgenError, where: Location) -> StimgenError:
    """Return the error with the line that names the source, keeping the file that it speaks of."""
    file = f"{error.where}: " if error.where is not None else ""
    return StimgenError(
        file + error.message, where=where, given=error.given, allowed=error.allowed, hint=error.hint
    )
