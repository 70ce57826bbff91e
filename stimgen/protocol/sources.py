"""The sources of a protocol, found, hashed and measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from stimgen.images.picture import Picture
from stimgen.images.prepare import Pixels, Preparation
from stimgen.images.read import SKIMAGE_PREFIX, ImageFile, read_image_file
from stimgen.images.sequence import needs_set, recipe, settled
from stimgen.images.staging import Photograph, Presentation, Staged, Staging, StagingError
from stimgen.images.steps import Step
from stimgen.images.write import Bits, encode_png, quantise
from stimgen.protocol.files import find_files
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.schema import Source
from stimgen.reading.document import CONTROL
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import recipe_identity
from stimgen.reading.model import Model

P = TypeVar("P", bound=Model)


@dataclass(frozen=True)
class FoundFile:
    """A file as it was when it was planned with.

    Attributes
    ----------
    file : Path
        Where it lies.
    sha256 : str
        Hash of its bytes.
    """

    file: Path
    sha256: str

    def read(self) -> ImageFile:
        """Return the file.

        Raises
        ------
        StimgenError
            It cannot be read, or is no longer what it was.
        """
        image = read_image_file(self.file)
        if image.sha256 != self.sha256:
            raise StimgenError("the source has changed since the plan was made", where=self.file)
        return image


@dataclass(frozen=True, eq=False)
class PlannedSource:
    """One photograph, found and hashed.

    Attributes
    ----------
    id : str
        What stimuli call it.
    name : str
        The file as it is to be recorded: relative to the protocol, or ``skimage:NAME``.
    image : FoundFile
        The photograph.
    mask : FoundFile or None
        Its mask.
    shape : tuple of int
        Height, width and channels of what a model measures.
    recipe : dict
        What determines its pixels, and the levels that they are rounded to where these are not 8 bits.
    preparation : Preparation
        How another picture becomes one of its size: without its mask, steps and canvas.
    staging : Staging
        How the photograph becomes what a model measures.
    bits : {8, 16}
        Of its values in a file.
    spec : Source
        What the protocol says.
    lines : mapping
        Where it says so: ``file``, ``mask``, ``before`` and ``canvas``.
    """

    id: str
    name: str
    image: FoundFile
    mask: FoundFile | None
    shape: tuple[int, int, int]
    recipe: dict[str, Any]
    preparation: Preparation
    staging: Staging
    bits: Bits
    spec: Source
    lines: Mapping[str, Location]

    @property
    def file(self) -> Path:
        """Where the photograph lies now."""
        return self.image.file

    @property
    def sha256(self) -> str:
        """Hash of the photograph."""
        return self.image.sha256

    @property
    def where(self) -> Location:
        """The line that names it."""
        return self.lines["file"]

    @cached_property
    def original_name(self) -> str:
        """Name of the file that the prepared source is written to."""
        return f"{self.id}_{recipe_identity(self.recipe)[:8]}.png"

    def photograph(self) -> Photograph:
        """Return its files.

        Raises
        ------
        StimgenError
            One of them cannot be read, or is no longer what was planned with.
        """
        return Photograph(self.image.read(), self.mask.read() if self.mask is not None else None)

    def bare(self) -> Picture:
        """Return the photograph before any step.

        Raises
        ------
        StimgenError
            As `staged`.
        """
        photograph = self.photograph()
        try:
            return self.staging.bare(photograph)
        except StimgenError as error:
            raise self.located(error) from None

    def staged(self) -> Staged:
        """Return what a model measures.

        Raises
        ------
        StimgenError
            A file is damaged, or is no longer what was planned with, or a step is impossible.
        """
        photograph = self.photograph()
        try:
            return self.staging.stage(photograph)
        except StimgenError as error:
            raise self.located(error) from None

    def pixels(self) -> Pixels:
        """Return what a model measures: height x width x channels, range [0, 1].

        Raises
        ------
        StimgenError
            As `staged`.
        """
        return self.staged().pixels

    def png(self, pixels: Pixels) -> bytes:
        """Return the file of a picture of this source, with its bits and encoding."""
        return encode_png(quantise(pixels, self.bits), self.staging.encoding)

    def located(self, error: StimgenError) -> StimgenError:
        """Return the error with the line of the protocol that it is about."""
        return named_by(error, self.lines[error.key if isinstance(error, StagingError) else "file"])


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
    sources, references = (
        [
            source
            for i in range(len(getattr(loaded.protocol, key)))
            for source in _Entry(loaded, root, key, i).planned()
        ]
        for key in ("sources", "references")
    )
    _refuse_equal_ids([*sources, *references])
    means = _Means(sources)
    return [means.given_to(s) for s in sources], [means.given_to(r) for r in references]


@dataclass(frozen=True)
class _Entry:
    """One entry of a protocol's sources, or references."""

    loaded: LoadedProtocol
    root: Path | None
    key: str
    i: int

    @property
    def spec(self) -> Source:
        specs: tuple[Source, ...] = getattr(self.loaded.protocol, self.key)
        return specs[self.i]

    @property
    def lines(self) -> dict[str, Location]:
        """Where the entry is written, and where what it may inherit is."""
        document, own = self.loaded.document, (self.key, self.i)
        found = {"file": document.where((*own, "file"))}
        for key in Presentation.model_fields:
            written = (*own, key) if (*own, key) in document.lines else ("preparation", key)
            found[key] = document.where(written)
        return found

    def planned(self) -> Iterator[PlannedSource]:
        lines = self.lines
        try:
            for name, file in find_files(self.spec.file, self.loaded.folder, self.root):
                yield self._planned(name, file, lines)
        except StimgenError as error:
            key = error.key if isinstance(error, StagingError) else "file"
            raise named_by(error, lines[key]) from None

    def _planned(self, name: str, file: Path, lines: dict[str, Location]) -> PlannedSource:
        _refuse_name(name, self.spec)
        image, spec, output = read_image_file(file), self.spec, self.loaded.protocol.output
        mask = self._mask(name)
        staging = Staging(_part(Preparation, spec), _part(Presentation, spec), output.encoding)
        shape = staging.shape(image)
        _refuse_deep_colours(shape, output.bits)
        return PlannedSource(
            id=spec.id or _id_from(name),
            name=name,
            image=FoundFile(file, image.sha256),
            mask=FoundFile(mask.file, mask.sha256) if mask is not None else None,
            shape=shape,
            recipe=staging.recipe(Photograph(image, mask))
            | ({"bits": output.bits} if output.bits != 8 else {}),
            preparation=_of_size(staging.preparation, image, shape),
            staging=staging,
            bits=output.bits,
            spec=spec,
            lines=lines,
        )

    def _mask(self, name: str) -> ImageFile | None:
        if self.spec.mask is None:
            return None
        text = self.spec.mask.replace("*", Path(name.removeprefix(SKIMAGE_PREFIX)).stem)
        try:
            return read_image_file(find_files(text, self.loaded.folder, self.root)[0][1])
        except StimgenError as error:
            raise StagingError("mask", error) from None


def _part(model: type[P], spec: Source) -> P:
    return model.model_validate({key: getattr(spec, key) for key in model.model_fields})


def _of_size(preparation: Preparation, image: ImageFile, shape: tuple[int, int, int]) -> Preparation:
    sides = (shape[1], shape[0])
    return preparation if preparation.sides(image) == sides else preparation.but(size=sides)


def _refuse_deep_colours(shape: tuple[int, int, int], bits: Bits) -> None:
    if bits == 16 and shape[2] != 1:
        raise StimgenError(
            "`bits: 16` is for greys: the library that writes PNG files knows no colours of 16 bits",
            hint="say `channels: grey`, or keep the picture before rounding with `output: {array: true}`",
        )


def _refuse_name(name: str, spec: Source) -> None:
    if CONTROL.search(name) or "\n" in name:
        # Records could not hold it, or a terminal would obey it.
        raise StimgenError(f"the file name {name!r} is not one line of text: rename it")
    if spec.id is not None and name != spec.file:
        raise StimgenError("a pattern names its sources by their files: leave out `id`")


class _Means:
    """What steps before synthesis stand for where they want the mean over the sources."""

    def __init__(self, sources: Sequence[PlannedSource]) -> None:
        self._sources = sources
        self._settled = cache(self._taken)

    def _taken(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return settled(steps, ((source.id, source.bare()) for source in self._sources))

    def given_to(self, source: PlannedSource) -> PlannedSource:
        presentation = source.staging.presentation
        if not needs_set(presentation.before):
            return source
        try:
            before = self._settled(presentation.before)
        except StimgenError as error:
            raise error.located(source.lines["before"]) from None
        staging = replace(source.staging, presentation=presentation.but(before=before))
        return replace(source, staging=staging, recipe=source.recipe | {"before": recipe(before)})


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
