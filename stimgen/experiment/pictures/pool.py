"""The pictures that take part in an experiment, each checked before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stimgen.experiment.pictures.pictures import PictureFiles, PictureReference, SetPicture
from stimgen.experiment.pictures.selection import ContentsByCell, StimulusSelection, select_stimuli
from stimgen.experiment.pictures.sets import SetReference, open_sets
from stimgen.experiment.pictures.validation import check_cells, check_pictures, check_quality
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.images.prepare import Pixels
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store


@dataclass(frozen=True)
class PicturePool:
    """The pictures that take part.

    Attributes
    ----------
    files : PictureFiles
        The sets.
    sets : tuple of SetReference
        What they are.
    conditions, sources, practice_sources : tuple of str
        Ids, in order.
    notes : tuple of str
        What users should know, and the journal keeps.
    """

    files: PictureFiles
    sets: tuple[SetReference, ...]
    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice_sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    _contents: ContentsByCell = field(default_factory=dict)
    _pictures: dict[tuple[int, str], SetPicture] = field(default_factory=dict)

    @property
    def stores(self) -> tuple[Store, ...]:
        """The sets."""
        return self.files.stores

    def seeds(self, source: str, condition: str) -> tuple[int, ...]:
        """Return the seeds that there are of a source and a condition, rising."""
        return tuple(sorted(self._contents[source, condition]))

    def record(self, source: str, condition: str) -> RecordContent:
        """Return the record of the first synthesis."""
        return self._contents[source, condition][self.seeds(source, condition)[0]][1]

    def synthesis(self, source: str, condition: str, seed: int) -> SetPicture:
        """Return a stimulus."""
        place, content = self._contents[source, condition][seed]
        return self._pictures[place, content.file]

    def original(self, source: str, condition: str) -> SetPicture:
        """Return the source as the model saw it when it made the syntheses of a condition."""
        place, content = self._contents[source, condition][self.seeds(source, condition)[0]]
        return self._pictures[place, content.source.original.file]

    def pictures(self) -> Iterator[SetPicture]:
        """Yield all pictures that may be shown."""
        yield from self._pictures.values()

    def pixels(self, picture: PictureReference) -> Pixels:
        """Return height x width x channels in [0, 1], encoded as the set's.

        Raises
        ------
        StimgenError
            The file is not what it was at the start.
        """
        return self.files.pixels(picture)


def open_pool(loaded: LoadedExperiment, folders: Sequence[Path] | None = None) -> PicturePool:
    """Return the pictures of an experiment, after every one that may be shown was read and its hash compared.

    Parameters
    ----------
    loaded : LoadedExperiment
        The experiment.
    folders : sequence of Path, optional
        Sets, instead of those that the experiment names.

    Raises
    ------
    StimgenError
        There is no such set, condition, source or seed; a set is not finished; a picture is not what its
        record says; a stimulus is not fit to be shown; pictures are missing that could meet.
    """
    stores = open_sets(loaded, folders)
    part = select_stimuli(loaded, stores)
    check_quality(loaded, part.every())
    contents = part.contents()
    check_cells(loaded, part, contents)
    pictures = check_pictures(stores, contents)
    sets = tuple(SetReference.of(store) for store in stores)
    return PicturePool(
        files=PictureFiles(stores),
        sets=sets,
        conditions=part.conditions,
        sources=part.sources,
        practice_sources=part.practice,
        notes=(*_describe_quick_changes(part), *_describe_conversions(loaded, sets, pictures)),
        _contents=contents,
        _pictures=pictures,
    )


def _describe_quick_changes(part: StimulusSelection) -> Iterator[str]:
    for change in dict.fromkeys(change for content in part.every() for change in content.changes):
        yield f"made in small: {change}"


def _describe_conversions(
    loaded: LoadedExperiment, sets: Sequence[SetReference], pictures: dict[tuple[int, str], SetPicture]
) -> Iterator[str]:
    """Yield what is converted for the screen; where that is not allowed, it is refused later."""
    screen = loaded.experiment.display.encoding
    others = [(picture.set, picture.encoding) for picture in pictures.values() if picture.encoding != screen]
    for place, encoding in dict.fromkeys(others):
        yield f"the pictures of {sets[place].name} are encoded as {encoding}, and shown converted to {screen}"
