"""Selects the stimuli of an experiment from its sets, by condition, source and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.masks import MASK_SIDES, MaskPair, TextureMask
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store

ContentsByCell = Mapping[tuple[str, str], Mapping[int, tuple[int, RecordContent]]]
"""Index of the set and record, by source and condition, and by seed."""


@dataclass(frozen=True)
class StimulusSelection:
    """Holds the selected conditions, sources and records."""

    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    practice: tuple[str, ...]
    """Sources of the practice, which are not among `sources`."""
    masking: tuple[str, ...]
    """Conditions whose stimuli mask pictures."""
    records: tuple[tuple[int, RecordContent], ...]
    """Index of the set and record of every stimulus."""

    def group_by_cell(self) -> ContentsByCell:
        """Return the records by source, condition and seed; each may occur in one set only."""
        return _group_by_cell(self.records)

    def select_set(self, index: int) -> StimulusSelection:
        """Return the selection without the records of other sets."""
        records = tuple(record for record in self.records if record[0] == index)
        return replace(self, records=records)


def _group_by_cell(records: Sequence[tuple[int, RecordContent]]) -> ContentsByCell:
    found: dict[tuple[str, str], dict[int, tuple[int, RecordContent]]] = {}
    for index, content in records:
        seeds = found.setdefault((content.source.id, content.condition), {})
        if content.seed in seeds:
            raise StimgenError(
                f"two sets have a stimulus of source {content.source.id!r}, condition "
                f"{content.condition!r} and seed {content.seed}",
                hint="tell the sets apart with one label for each, such as stimuli.labels: [first, second]; "
                "or leave out one of the sets",
            )
        seeds[content.seed] = (index, content)
    return found


def select_stimuli(loaded: LoadedExperiment, stores: Sequence[Store]) -> StimulusSelection:
    """Return the stimuli that the experiment names.

    Unknown conditions, sources and seeds, and no source for the main trials, raise a `StimgenError`.
    """
    records = [
        (index, record.content) for index, store in enumerate(stores) for record in store.read_records()
    ]
    settings = loaded.experiment.stimuli
    known_sources = list(dict.fromkeys(content.source.id for _, content in records))
    practice = loaded.experiment.practice.sources if loaded.experiment.practice else ()
    _check_names(loaded, ("practice", "sources"), practice, known_sources)
    sources = _select_sources(loaded, practice, known_sources)
    known_conditions = list(dict.fromkeys(content.condition for _, content in records))
    _check_names(loaded, ("stimuli", "conditions"), settings.conditions, known_conditions)
    masking = _list_mask_conditions(loaded, known_conditions)
    known_seeds = sorted({content.seed for _, content in records})
    _check_names(loaded, ("stimuli", "seeds"), settings.seeds, known_seeds)
    conditions, seeds = settings.conditions or tuple(known_conditions), settings.seeds or known_seeds
    selected = tuple(
        (index, content)
        for index, content in records
        if content.condition in (*conditions, *masking)
        and content.source.id in (*sources, *practice)
        and content.seed in seeds
    )
    return StimulusSelection(conditions, sources, practice, masking, selected)


def _list_mask_conditions(loaded: LoadedExperiment, known: Sequence[str]) -> tuple[str, ...]:
    """Return the conditions of masks; an unknown one is refused."""
    timing, found = loaded.experiment.timing, []
    for side in MASK_SIDES:
        mask = timing.find_mask(side)
        if isinstance(mask, TextureMask):
            found.append(mask.condition)
            if mask.condition not in known:
                inner = (side,) if isinstance(timing.mask, MaskPair) else ()
                path = ("timing", "mask", *inner, "condition")
                raise StimgenError(
                    f"{'.'.join(path)}: no set has the condition {mask.condition!r}",
                    where=loaded.document.where(path),
                    given=mask.condition,
                    allowed=list(known),
                )
    return tuple(dict.fromkeys(found))


def _select_sources(
    loaded: LoadedExperiment, practice: Sequence[str], known: Sequence[str]
) -> tuple[str, ...]:
    """Return the sources of the main trials: those that are named, or all except those of the practice."""
    named = loaded.experiment.stimuli.sources
    _check_names(loaded, ("stimuli", "sources"), named, known)
    for i, source in enumerate(practice):
        if source in named:
            raise StimgenError(
                f"the source {source!r} is named for practice and for the main trials (stimuli.sources)",
                where=loaded.document.where(("practice", "sources", i)),
            )
    left = named or tuple(source for source in known if source not in practice)
    if not left:
        raise StimgenError(
            "practice.sources names all sources: none is left for the main trials",
            where=loaded.document.where(("practice", "sources")),
        )
    return left


def _check_names(
    loaded: LoadedExperiment, path: tuple[str, str], names: Sequence[str | int], known: Sequence[str | int]
) -> None:
    for i, name in enumerate(names):
        if name not in known:
            raise StimgenError(
                f"{'.'.join(path)}: no set has the {path[-1].removesuffix('s')} {name!r}",
                where=loaded.document.where((*path, i)),
                given=name if isinstance(name, str) else None,
                allowed=[str(one) for one in known],
            )
