"""Plans the sources of a protocol: finds, checks and hashes their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from stimgen.images.object_mask import FileMask
from stimgen.images.prepare import Preparation
from stimgen.images.read import SKIMAGE_PREFIX, ImageFile, read_image_file
from stimgen.images.readers.base import SourceReading
from stimgen.images.sequence import needs_set_mean, resolve_set_means
from stimgen.images.source_pipeline import SourceFiles, SourceKeyError, SourcePipeline, SourcePresentation
from stimgen.images.steps import ImageStep
from stimgen.protocol.files import FoundPath, find_file, find_files, is_pattern
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.matching import match_sources
from stimgen.protocol.patterns import fill_placeholders
from stimgen.protocol.planned_source import FoundFile, PlannedSource, locate_source_error
from stimgen.protocol.schema import SourceSpec
from stimgen.protocol.source_ids import derive_ids
from stimgen.reading.document import CONTROL_CHARACTERS
from stimgen.reading.errors import Location, StimgenError, raise_together
from stimgen.reading.model import Model, format_first_error
from stimgen.stimulus_set.factors import Factors

P = TypeVar("P", bound=Model)

_FACTORS: TypeAdapter[dict[str, str]] = TypeAdapter(Factors)
ANY_NAME = "name"  # a placeholder that is no factor
# Records could not hold these letters of a name, or a terminal would obey them.
UNRECORDABLE = re.compile(rf"{CONTROL_CHARACTERS.pattern}|[\t\n\r]")


def plan_sources(
    loaded: LoadedProtocol, root: Path | None = None
) -> tuple[list[PlannedSource], list[PlannedSource]]:
    """Return the sources and the references of a protocol, in its order.

    Sources may lie in the protocol's folder or in `root`. Raises `StimgenError` if sources are missing,
    outside these folders, no images or too small, with all of these, or if two have one id.
    """
    errors: list[StimgenError] = []
    sources, references = (
        [
            source
            for i in range(len(getattr(loaded.protocol, key)))
            for source in _SourceEntry(loaded, root, key, i).plan(errors)
        ]
        for key in ("sources", "references")
    )
    raise_together(errors)
    named = _name_sources([*sources, *references])
    resolved = _resolve_means(named, named[: len(sources)])
    matching = loaded.protocol.matching
    if matching is not None:
        where = loaded.document.where(("matching",))
        resolved = match_sources(resolved, resolved[: len(sources)], matching, where)
    return resolved[: len(sources)], resolved[len(sources) :]


@dataclass(frozen=True)
class _SourceEntry:
    """Represents one entry of a protocol's sources, or references."""

    loaded: LoadedProtocol
    root: Path | None
    key: str
    i: int

    @property
    def spec(self) -> SourceSpec:
        specs: tuple[SourceSpec, ...] = getattr(self.loaded.protocol, self.key)
        return specs[self.i]

    @cached_property
    def lines(self) -> dict[str, Location]:
        """Return where the entry is written, and where what it may inherit is."""
        document, own = self.loaded.document, (self.key, self.i)
        lines = {"file": document.where((*own, "file"))}
        for key in (*SourcePresentation.model_fields, *SourceReading.model_fields):
            written = (*own, key) if (*own, key) in document.lines else ("preparation", key)
            lines[key] = document.where(written)
        lines["matching"] = document.where(("matching",))
        return lines

    def plan(self, errors: list[StimgenError]) -> Iterator[PlannedSource]:
        """Yield the sources that can be planned, and add why others cannot to `errors`."""
        try:
            files = find_files(self.spec.file, self.loaded.folder, self.root)
        except StimgenError as error:
            errors.append(locate_source_error(error, self.lines))
            return
        for found in files:
            try:
                yield self._plan_file(found)
            except StimgenError as error:
                errors.append(locate_source_error(error, self.lines))

    def _plan_file(self, found: FoundPath) -> PlannedSource:
        if self.spec.id is not None and is_pattern(self.spec.file, self.loaded.folder):
            raise StimgenError("a pattern names its sources by their files: leave out `id`")
        spec, output = self.spec, self.loaded.protocol.output
        image = read_image_file(found.file, _extract_part(SourceReading, spec), output.encoding)
        mask = self._read_mask(found)
        staging = SourcePipeline(
            _extract_part(Preparation, spec), _extract_part(SourcePresentation, spec), output.encoding
        )
        shape = staging.shape(image)
        if output.bits == 16 and shape[2] != 1:
            raise StimgenError(
                "`bits: 16` is for grey pictures: the library that writes PNG files lacks 16-bit colours",
                hint="say `channels: grey`, or keep the picture before rounding with `output: {array: true}`",
            )
        size, preparation = (shape[1], shape[0]), staging.preparation
        if preparation.output_size(image) != size:
            preparation = preparation.replace(size=size)
        bits = {"bits": output.bits} if output.bits != 8 else {}
        return PlannedSource(
            id=spec.id or "",  # derived when all sources are known
            name=escape_name(found.name),
            image=FoundFile.from_image(image),
            mask=FoundFile.from_image(mask) if mask is not None else None,
            shape=shape,
            recipe=staging.recipe(SourceFiles(image, mask)) | bits,
            preparation=preparation,
            staging=staging,
            bits=output.bits,
            conversions=image.describe_reading(),
            factors=self._find_factors(found),
            spec=spec,
            lines=self.lines,
        )

    def _find_factors(self, found: FoundPath) -> dict[str, str]:
        """Return the factors that the protocol gives, and those in the names of folders and files."""
        values = {key: escape_name(value) for key, value in found.values.items() if key != ANY_NAME}
        for key in values:
            if key in self.spec.factors:
                raise StimgenError(f"the pattern gives {key!r}, and so does `factors`: leave one out")
        try:
            return _FACTORS.validate_python({**self.spec.factors, **values})
        except ValidationError as error:
            raise StimgenError(f"the pattern {self.spec.file!r}: {format_first_error(error)}") from None

    def _read_mask(self, found: FoundPath) -> ImageFile | None:
        said = self.spec.mask
        path = said.file if isinstance(said, FileMask) else said
        if not isinstance(path, str):
            return None
        text = path.replace("*", Path(found.name.removeprefix(SKIMAGE_PREFIX)).stem)
        try:
            file = find_file("the mask", fill_placeholders(text, found.values), self.loaded.folder, self.root)
            # Its numbers are weights, whatever light they would make.
            return read_image_file(file, SourceReading(colour="as_stored"))
        except StimgenError as error:
            raise SourceKeyError("mask", error) from None


def _extract_part(model: type[P], spec: SourceSpec) -> P:
    return model.model_validate({key: getattr(spec, key) for key in model.model_fields})


def escape_name(name: str) -> str:
    r"""Return a file's name as records can hold it, with escapes such as ``\x1b`` for what is no text."""
    return UNRECORDABLE.sub(lambda found: repr(found[0])[1:-1], name)


def _name_sources(sources: list[PlannedSource]) -> list[PlannedSource]:
    """Return the sources with ids, those of their names where the protocol gives none.

    Raises `StimgenError` if the protocol gives two sources one id, or names one file twice without an id.
    """
    _refuse_equal([source for source in sources if source.spec.id is None], lambda source: str(source.file))
    ids = derive_ids([source.name for source in sources], [source.spec.id for source in sources])
    named = [replace(source, id=name) for source, name in zip(sources, ids, strict=True)]
    # Without regard to case, because many file systems have none.
    _refuse_equal(named, lambda source: source.id.lower())
    return named


def _refuse_equal(sources: list[PlannedSource], key: Callable[[PlannedSource], str]) -> None:
    seen: dict[str, PlannedSource] = {}
    for source in sources:
        other = seen.setdefault(key(source), source)
        if other is not source:
            name = source.id or derive_ids([source.name], [None])[0]
            raise StimgenError(
                f"two sources have the id {name!r}: {other.name} and {source.name}",
                where=source.lines["file"],
                hint="leave one out, or give it another `id`",
            )


def _resolve_means(planned: list[PlannedSource], sources: Sequence[PlannedSource]) -> list[PlannedSource]:
    """Return the planned sources with numbers for what their steps take from the mean over all sources."""

    @cache
    def resolve(steps: tuple[ImageStep, ...]) -> tuple[ImageStep, ...]:
        return resolve_set_means(steps, ((source.id, source.read_unprocessed()) for source in sources))

    def resolve_source(source: PlannedSource) -> PlannedSource:
        presentation = source.staging.presentation
        if not needs_set_mean(presentation.before):
            return source
        try:
            before = resolve(presentation.before)
        except StimgenError as error:
            raise error.add_location(source.lines["before"]) from None
        staging = replace(source.staging, presentation=presentation.replace(before=before))
        recipe = source.recipe | {"before": [step.recipe() for step in before]}
        return replace(source, staging=staging, recipe=recipe)

    return [resolve_source(source) for source in planned]
