"""Which stimuli of the sets take part in an experiment: conditions, sources and seeds, all by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store

ContentsByCell = Mapping[tuple[str, str], Mapping[int, tuple[int, RecordContent]]]
"""By source and condition, and seed: which set, and the record."""


@dataclass(frozen=True)
class StimulusSelection:
    """The records of the stimuli that take part.

    Attributes
    ----------
    conditions, sources, practice : tuple of str
        Ids, in order; the sources of the practice are not among the others.
    records : tuple
        Which set, and a record's content.
    """

    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice: tuple[str, ...]
    records: tuple[tuple[int, RecordContent], ...]

    def every(self) -> Iterator[RecordContent]:
        """Yield all records."""
        return (content for _, content in self.records)

    def contents(self) -> ContentsByCell:
        """Return the records by source and condition, and seed.

        Raises
        ------
        StimgenError
            Two sets have a stimulus of the same source, condition and seed.
        """
        found: dict[tuple[str, str], dict[int, tuple[int, RecordContent]]] = {}
        for place, content in self.records:
            seeds = found.setdefault((content.source.id, content.condition), {})
            if content.seed in seeds:
                raise StimgenError(
                    f"two of the sets have a stimulus of source {content.source.id!r}, condition "
                    f"{content.condition!r} and seed {content.seed}: it is not clear which is meant"
                )
            seeds[content.seed] = (place, content)
        return found


def select_stimuli(loaded: LoadedExperiment, stores: Sequence[Store]) -> StimulusSelection:
    """Return the stimuli that take part.

    Raises
    ------
    StimgenError
        No set has a condition, source or seed that is named; no source is left for the trials that count.
    """
    every = [(place, record.content) for place, store in enumerate(stores) for record in store.read_records()]
    settings = loaded.experiment.stimuli
    known = list(dict.fromkeys(content.source.id for _, content in every))
    practice = loaded.experiment.practice.sources if loaded.experiment.practice else ()
    _check_names(loaded, ("practice", "sources"), practice, known)
    sources = _select_sources(loaded, practice, known)
    conditions = list(dict.fromkeys(content.condition for _, content in every))
    _check_names(loaded, ("stimuli", "conditions"), settings.conditions, conditions)
    seeds = sorted({content.seed for _, content in every})
    _check_names(loaded, ("stimuli", "seeds"), settings.seeds, seeds)
    shown = settings.conditions or tuple(conditions)
    records = tuple(
        (place, content)
        for place, content in every
        if content.condition in shown
        and content.source.id in (*sources, *practice)
        and content.seed in (settings.seeds or seeds)
    )
    return StimulusSelection(shown, sources, practice, records)


def _select_sources(
    loaded: LoadedExperiment, practice: Sequence[str], known: Sequence[str]
) -> tuple[str, ...]:
    """Return the sources of the trials that count: those that are named, or all but those of the practice."""
    named = loaded.experiment.stimuli.sources
    _check_names(loaded, ("stimuli", "sources"), named, known)
    for i, source in enumerate(practice):
        if source in named:
            raise StimgenError(
                f"the source {source!r} is named for practice and for the trials that count",
                where=loaded.document.where(("practice", "sources", i)),
            )
    left = named or tuple(source for source in known if source not in practice)
    if not left:
        raise StimgenError(
            "all sources are named for practice: none is left for the trials that count",
            where=loaded.document.where(("practice", "sources")),
        )
    return left


def _check_names(
    loaded: LoadedExperiment, path: tuple[str, str], wanted: Sequence[str | int], known: Sequence[str | int]
) -> None:
    for i, name in enumerate(wanted):
        if name not in known:
            raise StimgenError(
                f"{'.'.join(path)}: no set has the {path[-1].removesuffix('s')} {name!r}",
                where=loaded.document.where((*path, i)),
                given=name if isinstance(name, str) else None,
                allowed=[str(one) for one in known],
            )
