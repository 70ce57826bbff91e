"""Selects the stimuli of an experiment from its sets, by condition, source and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from stimgen.experiment.pictures.source_factors import select_by_factors
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.masks import MASK_SIDES, MaskPair, TextureMask
from stimgen.experiment.schema.schema import Experiment
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store

ContentsByCell = Mapping[tuple[str, str], Mapping[int, tuple[int, RecordContent]]]
"""Index of the set and record, by source and condition, and by seed."""
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class StimulusCells:
    """Names the stimuli of some trials: every source in every condition."""

    conditions: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class StimulusSelection:
    """Holds the selected conditions, sources and records."""

    main: StimulusCells
    """Stimuli of the main trials."""
    practice: tuple[str, ...]
    """Sources that only practice shows."""
    others: tuple[StimulusCells, ...]
    """Stimuli of practice, and of each kind of catch trials."""
    masking: tuple[str, ...]
    """Conditions whose stimuli mask pictures."""
    records: tuple[tuple[int, RecordContent], ...]
    """Index of the set and record of every stimulus."""

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """Return source and condition of everything that trials may show, beside masks."""
        return list_cells((self.main, *self.others))

    @property
    def cells_with_masks(self) -> tuple[tuple[str, str], ...]:
        """Return source and condition of everything that may be shown."""
        return _add_masks(self.cells, self.masking)

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


def list_cells(several: Sequence[StimulusCells]) -> tuple[tuple[str, str], ...]:
    """Return source and condition of each stimulus, without repetitions."""
    pairs = (pair for cells in several for pair in product(cells.sources, cells.conditions))
    return tuple(dict.fromkeys(pairs))


def _add_masks(cells: Sequence[tuple[str, str]], masking: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the cells, and all of their sources in the conditions of masks."""
    sources = dict.fromkeys(source for source, _ in cells)
    return tuple(dict.fromkeys((*cells, *product(sources, masking))))


def select_stimuli(loaded: LoadedExperiment, stores: Sequence[Store]) -> StimulusSelection:
    """Return the stimuli that the experiment names.

    Unknown conditions, sources and seeds, and no source or condition for the main trials, raise a
    `StimgenError`.
    """
    records = [
        (index, record.content) for index, store in enumerate(stores) for record in store.read_records()
    ]
    known = {
        "conditions": list(dict.fromkeys(content.condition for _, content in records)),
        "sources": list(dict.fromkeys(content.source.id for _, content in records)),
    }
    experiment = loaded.experiment
    for path, names in _list_named(experiment):
        _check_names(loaded, path, names, known[str(path[-1])])
    masking = _list_mask_conditions(loaded, known["conditions"])
    known_seeds = sorted({content.seed for _, content in records})
    _check_names(loaded, ("stimuli", "seeds"), experiment.stimuli.seeds, known_seeds)
    practice = experiment.practice.own_sources if experiment.practice else ()
    _refuse_shared_sources(loaded, practice)
    main = StimulusCells(
        _select_main(loaded, "conditions", known["conditions"]),
        select_by_factors(loaded, records, _select_main(loaded, "sources", known["sources"])),
    )
    others = tuple(_list_others(experiment, main))
    cells = set(_add_masks(list_cells((main, *others)), masking))
    seeds = experiment.stimuli.seeds or known_seeds
    selected = tuple(
        (index, content)
        for index, content in records
        if (content.source.id, content.condition) in cells and content.seed in seeds
    )
    return StimulusSelection(main, practice, others, masking, selected)


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


def _list_others(experiment: Experiment, main: StimulusCells) -> Iterator[StimulusCells]:
    """Yield the stimuli of practice and of catch trials."""
    practice = experiment.practice
    if practice is not None:
        yield StimulusCells(practice.conditions or main.conditions, practice.own_sources or main.sources)
    for catch in experiment.catch:
        yield StimulusCells(catch.conditions or main.conditions, catch.sources or main.sources)


def _list_named(experiment: Experiment) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield all conditions and sources that the experiment names, with the path of each list."""
    if experiment.practice is not None:
        yield ("practice", "sources"), experiment.practice.own_sources
        yield ("practice", "conditions"), experiment.practice.conditions
    for i, catch in enumerate(experiment.catch):
        yield ("catch", i, "sources"), catch.sources
        yield ("catch", i, "conditions"), catch.conditions
    yield ("stimuli", "sources"), experiment.stimuli.sources
    yield ("stimuli", "conditions"), experiment.stimuli.conditions


def _select_main(loaded: LoadedExperiment, what: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return what the main trials show: what is named for them, or all that nothing else names."""
    named = list(_list_named(loaded.experiment))
    chosen = next(names for path, names in named if path == ("stimuli", what))
    elsewhere = [(path, names) for path, names in named if path[0] != "stimuli" and path[-1] == what]
    taken = {name for _, names in elsewhere for name in names}
    left = chosen or tuple(name for name in known if name not in taken)
    if not left:
        path = next(path for path, names in elsewhere if names)
        raise StimgenError(
            f"{format_key_path(path)} names all {what}: none is left for the main trials",
            where=loaded.document.where(path),
            hint=f"name those of the main trials in stimuli.{what}",
        )
    return left


def _refuse_shared_sources(loaded: LoadedExperiment, practice: Sequence[str]) -> None:
    for i, source in enumerate(practice):
        if source in loaded.experiment.stimuli.sources:
            raise StimgenError(
                f"the source {source!r} is named for practice and for the main trials (stimuli.sources)",
                where=loaded.document.where(("practice", "sources", i)),
                hint="to practise with the sources of the main trials, write practice.sources: main",
            )


def _check_names(
    loaded: LoadedExperiment, path: KeyPath, names: Sequence[str | int], known: Sequence[str | int]
) -> None:
    words = ["main"] if path == ("practice", "sources") else []
    for i, name in enumerate(names):
        if name not in known:
            raise StimgenError(
                f"{format_key_path(path)}: no set has the {str(path[-1]).removesuffix('s')} {name!r}",
                where=loaded.document.where((*path, i)),
                given=name if isinstance(name, str) else None,
                allowed=[str(one) for one in known] + words,
            )


def format_key_path(path: KeyPath) -> str:
    """Return a path as errors write it, such as ``catch[0].sources``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
