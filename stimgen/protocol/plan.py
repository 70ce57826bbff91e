"""Plans every stimulus of a protocol, with its identity, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stimgen.images.prepare import Pixels
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import FoundFile, PlannedSource, add_location
from stimgen.protocol.postprocessing import Postprocessing, plan_postprocessing
from stimgen.protocol.protocol_pictures import (
    find_region_files,
    find_start_image,
    select_sources,
    select_targets,
)
from stimgen.protocol.sources import plan_sources
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import NUMERICS, digest, identity
from stimgen.synthesis.methods import Method, ReferenceInfo

LARGEST_PLAN = 1_000_000
LARGEST_FLAT_SET = 10_000


@dataclass(frozen=True)
class PlannedCondition:
    """Represents a condition with all that it inherits."""

    id: str
    method: Method
    sources: Sequence[PlannedSource]
    seeds: Sequence[int]
    pictures: tuple[PlannedSource, ...]  # other pictures that its targets name
    start_image: FoundFile | None
    after: Postprocessing
    region_files: tuple[Path, ...] = ()  # that pooling regions are read from

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Return terms and settings."""
        start_sha256 = self.start_image.identity if self.start_image is not None else None
        known = ReferenceInfo(start_sha256, {p.id: p.recipe for p in self.pictures})
        return self.after.add_to_recipe(self.method.recipe(known))

    def schedule(self, shape: tuple[int, int, int]) -> list[list[int]]:
        """Return width, height and evaluations of every scale of a source of this shape."""
        return [list(scale) for scale in self.method.schedule(shape[1], shape[0])]

    def start_pixels(self, source: PlannedSource, seed: int) -> Pixels:
        """Return the start image of a stimulus; raise `StimgenError` if its picture cannot be used."""
        picture = source.pixels() if self.method.start.wants_source else None
        if self.start_image is not None:
            picture = source.preparation.prepare(self.start_image.read("the start image"))
        return self.method.start.pixels(source.shape, (source.sha256, seed), picture)


@dataclass(frozen=True)
class PlannedStimulus:
    """Represents one stimulus to make; its id hashes all that determines its pixels, and nothing else."""

    id: str
    source: PlannedSource
    condition: PlannedCondition
    seed: int

    @property
    def recipe(self) -> dict[str, Any]:
        """Return everything that the id stands for."""
        return {
            "numerics": NUMERICS,
            "pixels": self.source.recipe,
            "schedule": self.condition.schedule(self.source.shape),
            "seed": self.seed,
            **self.condition.recipe,
        }

    @property
    def name(self) -> str:
        """Return the name of the stimulus' files, without a suffix: words, then a part of the id."""
        return f"{self.source.id}_{self.condition.id}_s{self.seed}_{self.id[:8]}"


@dataclass(frozen=True)
class ProtocolPlan:
    """Lists all stimuli of a protocol, by condition, source and seed, with the pictures in use."""

    loaded: LoadedProtocol
    sources: tuple[PlannedSource, ...]
    references: tuple[PlannedSource, ...]
    conditions: tuple[PlannedCondition, ...]
    stimuli: tuple[PlannedStimulus, ...]

    def stimuli_of(self, condition: PlannedCondition) -> tuple[PlannedStimulus, ...]:
        """Return the stimuli of a condition."""
        return self._by_condition[condition.id]

    def select(self, stimuli: Iterable[PlannedStimulus]) -> ProtocolPlan:
        """Return the part of the plan with these stimuli and the pictures that they are made from."""
        part = tuple(stimuli)
        used = {id(picture) for s in part for picture in (s.source, *s.condition.pictures)}
        sources = tuple(source for source in self.sources if id(source) in used)
        references = tuple(reference for reference in self.references if id(reference) in used)
        return replace(self, sources=sources, references=references, stimuli=part)

    @cached_property
    def _by_condition(self) -> dict[str, tuple[PlannedStimulus, ...]]:
        found: dict[str, list[PlannedStimulus]] = {condition.id: [] for condition in self.conditions}
        for stimulus in self.stimuli:
            found[stimulus.condition.id].append(stimulus)
        return {condition: tuple(stimuli) for condition, stimuli in found.items()}


def make_plan(loaded: LoadedProtocol, root: Path | None = None) -> ProtocolPlan:
    """Return the plan of a protocol, whose sources may also lie in the folder `root`.

    Raises `StimgenError` for too many stimuli, a source that cannot be used, a size that is too small for a
    condition's depth, or two stimuli that would be the same.
    """
    _refuse_too_many(loaded, len(loaded.protocol.sources))
    sources, references = plan_sources(loaded, root)
    _refuse_too_many(loaded, len(sources))
    pictures = sources, references
    conditions = [_plan_condition(loaded, i, pictures, root) for i in range(len(loaded.protocol.conditions))]
    _refuse_unsuitable_sources(loaded, conditions, sources)
    stimuli = tuple(_plan_stimuli(conditions))
    _refuse_duplicates(stimuli, loaded)
    used = {picture.id for condition in conditions for picture in (*condition.sources, *condition.pictures)}
    sources, references = ([picture for picture in group if picture.id in used] for group in pictures)
    return ProtocolPlan(loaded, tuple(sources), tuple(references), tuple(conditions), stimuli)


def _plan_condition(
    loaded: LoadedProtocol,
    i: int,
    pictures: tuple[list[PlannedSource], list[PlannedSource]],
    root: Path | None,
) -> PlannedCondition:
    """Return condition `i`, given all sources and references of the protocol."""
    condition = loaded.protocol.conditions[i]
    method, seeds = condition.resolved_method, loaded.protocol.seeds_of(condition)
    sources = select_sources(loaded, i, pictures[0])
    start_image = find_start_image(loaded, i, sources, root)
    return PlannedCondition(
        id=condition.id,
        method=method,
        sources=sources,
        seeds=seeds if method.seeded else seeds[:1],
        pictures=select_targets(loaded, i, sources, [*pictures[0], *pictures[1]]),
        start_image=start_image,
        after=plan_postprocessing(loaded, i, sources, pictures[0]),
        region_files=find_region_files(loaded, i, root),
    )


def _refuse_unsuitable_sources(
    loaded: LoadedProtocol, conditions: Sequence[PlannedCondition], sources: Sequence[PlannedSource]
) -> None:
    """Refuse a source of a shape that a method, or the evaluation network, cannot work with."""
    for i, condition in enumerate(conditions):
        for shape, source in {source.shape: source for source in condition.sources}.items():
            try:
                condition.method.check(shape)
            except StimgenError as error:
                about = error.add_prefix(f"condition {condition.id!r}, source {source.id!r}")
                # An error about a file is one about a map of regions.
                line = loaded.document.where(("conditions", i))
                where = line if about.where is None else loaded.where(i, "regions")
                raise add_location(about, where) from None
    judge = loaded.protocol.judge
    for source in sources:
        try:
            if judge is not None:
                judge.check(source.shape[1], source.shape[0])
        except StimgenError as error:
            about = error.add_prefix(f"judge: source {source.id!r}")
            raise about.add_location(loaded.document.where(("judge",))) from None


def _plan_stimuli(conditions: list[PlannedCondition]) -> Iterator[PlannedStimulus]:
    # Digests of the parts that many stimuli share are taken once.
    numerics = digest(NUMERICS)
    pixels = {source.id: digest(source.recipe) for c in conditions for source in c.sources}
    for condition in conditions:
        parts = {key: digest(value) for key, value in condition.recipe.items()}
        for source in condition.sources:
            schedule = digest(condition.schedule(source.shape))
            shared = {"numerics": numerics, "pixels": pixels[source.id], "schedule": schedule, **parts}
            for seed in condition.seeds:
                yield PlannedStimulus(identity({**shared, "seed": digest(seed)}), source, condition, seed)


def _refuse_too_many(loaded: LoadedProtocol, sources: int) -> None:
    protocol = loaded.protocol
    count = sources * sum(len(protocol.seeds_of(condition)) for condition in protocol.conditions)
    if count > LARGEST_PLAN:
        raise StimgenError(
            f"{count:,} stimuli: more than the {LARGEST_PLAN:,} that one protocol may have",
            where=loaded.document.where(("seeds",)),
        )
    if count > LARGEST_FLAT_SET and protocol.output.layout == "flat":
        written = "output" if ("output",) in loaded.document.lines else "seeds"
        raise StimgenError(
            f"{count:,} stimuli: too many for one folder (up to {LARGEST_FLAT_SET:,})",
            where=loaded.document.where((written,)),
            hint="write `output: {layout: nested}`",
        )


def _refuse_duplicates(stimuli: tuple[PlannedStimulus, ...], loaded: LoadedProtocol) -> None:
    seen: dict[str, PlannedStimulus] = {}
    for stimulus in stimuli:
        other = seen.setdefault(stimulus.id, stimulus)
        if other is not stimulus:
            raise StimgenError(
                f"{stimulus.name} and {other.name} are the same stimulus: same pixels, terms, settings, seed",
                where=loaded.document.where(("conditions",)),
            )
