"""Opens the pictures of an experiment; each is checked before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from stimgen.experiment.pictures.pictures import PictureFiles, SetPicture
from stimgen.experiment.pictures.selection import ContentsByCell, select_stimuli
from stimgen.experiment.pictures.sets import SetReference, open_sets
from stimgen.experiment.pictures.validation import check_cells, check_pictures, check_quality
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent


@dataclass(kw_only=True)
class PicturePool(PictureFiles):
    """Holds the pictures that an experiment may show."""

    sets: tuple[SetReference, ...]
    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice_sources: tuple[str, ...]
    """Sources that only practice shows."""
    cells: tuple[tuple[str, str], ...] = ()
    """Source and condition of all stimuli, those of practice and of catch trials included."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, which the journal keeps."""
    _contents: ContentsByCell = field(default_factory=dict)
    _pictures: Mapping[tuple[int, str], SetPicture] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    """Labels of the sets, if they are told apart; `seeds` and the others are then of the first set."""
    _contents_by_set: tuple[ContentsByCell, ...] = ()

    def select_set(self, label: str) -> PicturePool:
        """Return the pictures of the set with a label; see `list_sets`."""
        return self.list_sets()[self.labels.index(label)]

    def list_sets(self) -> tuple[PicturePool, ...]:
        """Return a pool for each set that is told apart; the pool itself if none is."""
        if not self.labels:
            return (self,)
        return tuple(
            replace(self, labels=(), _contents_by_set=(), _contents=contents)
            for contents in self._contents_by_set
        )

    @property
    def all_conditions(self) -> tuple[str, ...]:
        """Return the conditions of all trials, those of practice and catch trials after the others."""
        return tuple(dict.fromkeys((*self.conditions, *(condition for _, condition in self.cells))))

    @property
    def all_sources(self) -> tuple[str, ...]:
        """Return the sources of all trials, those of practice and catch trials after the others."""
        return tuple(dict.fromkeys((*self.sources, *(source for source, _ in self.cells))))

    @cached_property
    def _source_factors(self) -> dict[str, dict[str, str]]:
        contents = (content for seeds in self._contents.values() for _, content in seeds.values())
        return {content.source.id: content.source.factors or {} for content in contents}

    def source_factors(self, source: str) -> Mapping[str, str]:
        """Return the factors of a source that the set names, such as its category."""
        return self._source_factors.get(source, {})

    def seeds(self, source: str, condition: str) -> tuple[int, ...]:
        """Return the seeds of a source and a condition, rising."""
        return tuple(sorted(self._contents[source, condition]))

    def record(self, source: str, condition: str) -> RecordContent:
        """Return the record of the synthesis with the smallest seed."""
        return self._contents[source, condition][self.seeds(source, condition)[0]][1]

    def synthesis(self, source: str, condition: str, seed: int) -> SetPicture:
        """Return a stimulus."""
        index, content = self._contents[source, condition][seed]
        return self._pictures[index, content.file]

    def original(self, source: str, condition: str) -> SetPicture:
        """Return the source as it was prepared for the syntheses of a condition."""
        index, content = self._contents[source, condition][self.seeds(source, condition)[0]]
        return self._pictures[index, content.source.original.file]

    def pictures(self) -> Iterator[SetPicture]:
        """Yield all pictures that may be shown."""
        yield from self._pictures.values()


def open_pool(loaded: LoadedExperiment, folders: Sequence[Path] | None = None) -> PicturePool:
    """Return the pictures of an experiment, from its own sets or from those in `folders`.

    Every picture that may be shown is read and compared with its hash. Missing or unfinished sets, unknown
    conditions, sources and seeds, changed pictures, stimuli that should not be shown and incomplete designs
    raise a `StimgenError`.
    """
    stores = open_sets(loaded, folders)
    selection = select_stimuli(loaded, stores)
    check_quality(loaded, stores, selection)
    labels = loaded.experiment.stimuli.labels
    if labels and len(labels) != len(stores):
        raise StimgenError(
            f"stimuli.labels names {len(labels)} sets, but {len(stores)} are given",
            where=loaded.document.where(("stimuli", "labels")),
        )
    parts = [selection.select_set(i) for i in range(len(labels))] or [selection]
    contents = [part.group_by_cell() for part in parts]
    for i, (part, cells) in enumerate(zip(parts, contents, strict=True)):
        check_cells(loaded, part, cells, labels[i] if labels else None)
    pictures = {key: one for cells in contents for key, one in check_pictures(stores, cells).items()}
    sets = tuple(SetReference.from_store(store) for store in stores)
    changes = dict.fromkeys(change for _, content in selection.records for change in content.changes)
    quick = (f"made in small: {change}" for change in changes)
    return PicturePool(
        stores=stores,
        sets=sets,
        conditions=selection.main.conditions,
        sources=selection.main.sources,
        practice_sources=selection.practice,
        cells=selection.cells,
        notes=(*quick, *_describe_conversions(loaded, sets, pictures)),
        _contents=contents[0],
        labels=labels,
        _contents_by_set=tuple(contents) if labels else (),
        _pictures=pictures,
    )


def _describe_conversions(
    loaded: LoadedExperiment, sets: Sequence[SetReference], pictures: Mapping[tuple[int, str], SetPicture]
) -> Iterator[str]:
    """Yield what is converted for the screen; if that is not allowed, it is refused later."""
    screen = loaded.experiment.display.encoding
    others = [(picture.set, picture.encoding) for picture in pictures.values() if picture.encoding != screen]
    for index, encoding in dict.fromkeys(others):
        yield f"the pictures of {sets[index].name} are encoded as {encoding}, and shown converted to {screen}"
