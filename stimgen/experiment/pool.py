"""The pictures that take part in an experiment, each checked before the first trial."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stimgen.experiment.load import LoadedExperiment
from stimgen.experiment.stimuli import Stimuli
from stimgen.images.light import Encoding
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.record import Content
from stimgen.stimulus_set.store import PLAN, Store

KEPT_PIXELS = 2**28  # bytes of decoded pictures that are kept


@dataclass(frozen=True)
class Picture:
    """A picture of a set.

    Attributes
    ----------
    set : int
        Which of the sets, from 0.
    id : str or None
        The stimulus; None for an original.
    file, sha256 : str
        Path relative to the set's folder, and hash of the file.
    condition, source : str
        Of the stimulus; of an original the condition that it was prepared for.
    seed : int or None
        None for an original.
    width, height, channels : int
        Of the picture.
    encoding : {"srgb", "linear"}
        How its values mean light.
    """

    set: int
    id: str | None
    file: str
    sha256: str
    condition: str
    source: str
    seed: int | None
    width: int
    height: int
    channels: int
    encoding: Encoding


@dataclass(frozen=True)
class SetUsed:
    """A stimulus set as the journal names it.

    Attributes
    ----------
    name : str
        The folder's own name, without its path.
    protocol : str
        File name of the protocol that it was made from.
    plan_sha256 : str
        Hash of the list of its stimuli.
    """

    name: str
    protocol: str
    plan_sha256: str


@dataclass
class Pool:
    """The pictures that take part.

    Attributes
    ----------
    stores : tuple of Store
        The sets.
    sets : tuple of SetUsed
        What they are.
    conditions, sources, practice_sources : tuple of str
        Ids, in order.
    notes : tuple of str
        What users should know, and the journal keeps.
    """

    stores: tuple[Store, ...]
    sets: tuple[SetUsed, ...]
    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice_sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    _contents: dict[tuple[str, str], dict[int, tuple[int, Content]]] = field(default_factory=dict)
    _pictures: dict[tuple[int, str], Picture] = field(default_factory=dict)
    _pixels: OrderedDict[tuple[int, str], Pixels] = field(default_factory=OrderedDict)

    def seeds(self, source: str, condition: str) -> tuple[int, ...]:
        """Return the seeds that there are of a source and a condition, rising."""
        return tuple(sorted(self._contents[source, condition]))

    def record(self, source: str, condition: str) -> Content:
        """Return the record of the first synthesis."""
        return self._contents[source, condition][self.seeds(source, condition)[0]][1]

    def synthesis(self, source: str, condition: str, seed: int) -> Picture:
        """Return a stimulus."""
        place, content = self._contents[source, condition][seed]
        return self._pictures[place, content.file]

    def original(self, source: str, condition: str) -> Picture:
        """Return the source as the model saw it when it made the syntheses of a condition."""
        place, content = self._contents[source, condition][self.seeds(source, condition)[0]]
        return self._pictures[place, content.source.original.file]

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures that may be shown."""
        yield from self._pictures.values()

    def picture(self, place: int, file: str) -> Picture:
        """Return the picture that a trial names by set and file.

        Raises
        ------
        StimgenError
            It takes no part.
        """
        if (place, file) not in self._pictures:
            raise StimgenError(f"the picture {file} of set {place + 1} takes no part in this experiment")
        return self._pictures[place, file]

    def pixels(self, picture: Picture) -> Pixels:
        """Return height x width x channels in [0, 1], encoded as the set's.

        Raises
        ------
        StimgenError
            The file is not what it was at the start.
        """
        key = (picture.set, picture.file)
        if key not in self._pixels:
            store = self.stores[picture.set]
            data = store.read(picture.file)
            if sha256_bytes(data) != picture.sha256:
                raise StimgenError("was changed while it was in use", where=store.folder / picture.file)
            self._pixels[key] = as_pixels(decode_png(data, store.folder / picture.file))
            while len(self._pixels) > 1 and sum(p.nbytes for p in self._pixels.values()) > KEPT_PIXELS:
                self._pixels.popitem(last=False)
        self._pixels.move_to_end(key)
        return self._pixels[key]


def open_pool(loaded: LoadedExperiment, folders: Sequence[Path] | None = None) -> Pool:
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
        There is no such set, condition, source or seed; a picture is not what its record says; a stimulus is
        not fit to be shown; pictures are missing that could meet.
    """
    from stimgen.experiment.pool_checks import check_cells, check_pictures, check_quality

    settings = loaded.experiment.stimuli
    places = list(folders) if folders else [_found(name, loaded) for name in settings.sets]
    stores = tuple(Store.open(place) for place in places)
    chosen = _chosen(loaded, stores)
    check_quality(settings, chosen.every())
    contents = chosen.contents()
    check_cells(loaded, chosen, contents)
    pictures = check_pictures(stores, contents)
    return Pool(
        stores=stores,
        sets=tuple(_used(store) for store in stores),
        conditions=chosen.conditions,
        sources=chosen.sources,
        practice_sources=chosen.practice,
        notes=tuple(_notes(chosen)),
        _contents=contents,
        _pictures=pictures,
    )


@dataclass(frozen=True)
class Chosen:
    """The records of the stimuli that take part."""

    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice: tuple[str, ...]
    records: tuple[tuple[int, Content], ...]

    def every(self) -> Iterable[Content]:
        """Yield all records."""
        return (content for _, content in self.records)

    def contents(self) -> dict[tuple[str, str], dict[int, tuple[int, Content]]]:
        """Return the records by source and condition, and seed.

        Raises
        ------
        StimgenError
            Two sets have a stimulus of the same source, condition and seed.
        """
        found: dict[tuple[str, str], dict[int, tuple[int, Content]]] = {}
        for place, content in self.records:
            seeds = found.setdefault((content.source.id, content.condition), {})
            if content.seed in seeds:
                raise StimgenError(
                    f"two of the sets have a stimulus of source {content.source.id!r}, condition "
                    f"{content.condition!r} and seed {content.seed}: it is not clear which is meant"
                )
            seeds[content.seed] = (place, content)
        return found


def _chosen(loaded: LoadedExperiment, stores: Sequence[Store]) -> Chosen:
    settings = loaded.experiment.stimuli
    practice = loaded.experiment.practice.sources if loaded.experiment.practice else ()
    every = [(place, record.content) for place, store in enumerate(stores) for record in store.records()]
    known = {
        "conditions": list(dict.fromkeys(content.condition for _, content in every)),
        "sources": list(dict.fromkeys(content.source.id for _, content in every)),
    }
    conditions = _named(loaded, "conditions", settings.conditions, known["conditions"])
    allowed = [source for source in known["sources"] if source not in practice]
    sources = _named(
        loaded, "sources", settings.sources, allowed if not settings.sources else known["sources"]
    )
    both = [source for source in sources if source in practice]
    if both:
        raise StimgenError(
            f"the source {both[0]!r} is named for practice and for the trials that count",
            where=loaded.document.where(("practice", "sources")),
        )
    for source in practice:
        if source not in known["sources"]:
            raise StimgenError(
                f"no set has the source {source!r}, named for practice",
                where=loaded.document.where(("practice", "sources")),
                given=source,
                allowed=known["sources"],
            )
    records = tuple(
        (place, content)
        for place, content in every
        if content.condition in conditions
        and content.source.id in (*sources, *practice)
        and (not settings.seeds or content.seed in settings.seeds)
    )
    return Chosen(conditions, sources, tuple(practice), records)


def _named(
    loaded: LoadedExperiment, key: str, wanted: tuple[str, ...], known: Sequence[str]
) -> tuple[str, ...]:
    for i, name in enumerate(wanted):
        if name not in known:
            raise StimgenError(
                f"no set has the {key.removesuffix('s')} {name!r}",
                where=loaded.document.where(("stimuli", key, i)),
                given=name,
                allowed=known,
            )
    return wanted or tuple(known)


def _found(name: str, loaded: LoadedExperiment) -> Path:
    """Return a set's folder: beside the experiment, or in the current folder."""
    beside = loaded.folder / name
    for place in (beside, Path(name)):
        if (place / PLAN).is_file():
            return place
    raise StimgenError(
        f"there is no stimulus set {name!r}, neither in {loaded.folder} nor in the current folder",
        where=loaded.document.where(("stimuli", "sets")),
        hint="make it with: stimgen generate PROTOCOL -o FOLDER; or name a set's folder with --stimuli",
    )


def _used(store: Store) -> SetUsed:
    plan = store.read_plan()
    return SetUsed(
        name=store.folder.resolve().name,
        protocol=str(plan.protocol.get("file", "")),
        plan_sha256=sha256_bytes(store.read(PLAN)),
    )


def _notes(chosen: Chosen) -> Iterable[str]:
    changes = dict.fromkeys(change for content in chosen.every() for change in content.changes)
    return (f"made in small: {change}" for change in changes)


def fit(settings: Stimuli, content: Content) -> str | None:
    """Return why a stimulus is not fit to be shown; None where it is."""
    quality = content.quality
    if quality is None:
        return None
    if quality.converged is False and settings.not_converged == "refuse":
        return "had not converged"
    if settings.copies == "refuse" and (quality.largest_copy or 0.0) >= settings.largest_copy:
        return f"holds a copy of its source (correlation {quality.largest_copy:.2f})"
    return None
