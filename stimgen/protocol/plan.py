"""The plan of a protocol: every stimulus with its identity, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stimgen.images.prepare import Pixels
from stimgen.images.read import read_image_file
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.postprocessing import Postprocessing, plan_postprocessing
from stimgen.protocol.protocol_pictures import ProtocolPictures
from stimgen.protocol.sources import plan_sources
from stimgen.protocol.start_image import find_start_image
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import NUMERICS, digest, identity
from stimgen.synthesis.methods import Method, ReferenceInfo

LARGEST_PLAN = 1_000_000
LARGEST_FLAT_SET = 10_000


@dataclass(frozen=True)
class PlannedCondition:
    """A condition, written out.

    Attributes
    ----------
    id : str
        What stimuli call it.
    method : Method
        What makes its stimuli.
    sources : sequence of PlannedSource
        What they are made from.
    seeds : sequence of int
        Its seeds.
    pictures : tuple of PlannedSource
        Other pictures that its targets name.
    start_file : Path or None
        The picture that its synthesis starts from.
    start_sha256 : str or None
        Hash of that file.
    after : Postprocessing
        Steps from a synthesised picture to what is saved.
    """

    id: str
    method: Method
    sources: Sequence[PlannedSource]
    seeds: Sequence[int]
    pictures: tuple[PlannedSource, ...]
    start_file: Path | None
    start_sha256: str | None
    after: Postprocessing

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Terms and settings."""
        known = ReferenceInfo(self.start_sha256, {p.id: p.recipe for p in self.pictures})
        return self.after.add_to_recipe(self.method.recipe(known))

    def schedule(self, shape: tuple[int, int, int]) -> list[list[int]]:
        """Return width, height and evaluations of every scale of a source of this shape."""
        return [list(scale) for scale in self.method.schedule(shape[1], shape[0])]

    def start_pixels(self, source: PlannedSource, seed: int) -> Pixels:
        """Return the start image of a stimulus.

        Raises
        ------
        StimgenError
            The start picture cannot be used.
        """
        picture = source.pixels() if self.method.start.wants_source else None
        if self.start_file is not None:
            image = read_image_file(self.start_file)
            if image.sha256 != self.start_sha256:
                raise StimgenError("the start image has changed since the plan was made", where=image.file)
            picture = source.preparation.prepare(image)
        return self.method.start.pixels(source.shape, (source.sha256, seed), picture)


@dataclass(frozen=True)
class PlannedStimulus:
    """One stimulus to make.

    Attributes
    ----------
    id : str
        Hash of everything that determines its pixels, and of nothing else.
    source, condition, seed
        What it is made of.
    """

    id: str
    source: PlannedSource
    condition: PlannedCondition
    seed: int

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything that the id stands for."""
        return {
            "numerics": NUMERICS,
            "pixels": self.source.recipe,
            "schedule": self.condition.schedule(self.source.shape),
            "seed": self.seed,
            **self.condition.recipe,
        }

    @property
    def name(self) -> str:
        """Name of the stimulus' files, without an ending; begins with words, ends with a part of the id."""
        return f"{self.source.id}_{self.condition.id}_s{self.seed}_{self.id[:8]}"


@dataclass(frozen=True)
class ProtocolPlan:
    """All stimuli of a protocol.

    Attributes
    ----------
    loaded : LoadedProtocol
        The protocol.
    sources, references : tuple
        Those in use, in the protocol's order.
    conditions, stimuli : tuple
        In the protocol's order; stimuli by condition, source and seed.
    """

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
        sources, references = (
            tuple(picture for picture in pictures if id(picture) in used)
            for pictures in (self.sources, self.references)
        )
        return replace(self, sources=sources, references=references, stimuli=part)

    @cached_property
    def _by_condition(self) -> dict[str, tuple[PlannedStimulus, ...]]:
        found: dict[str, list[PlannedStimulus]] = {condition.id: [] for condition in self.conditions}
        for stimulus in self.stimuli:
            found[stimulus.condition.id].append(stimulus)
        return {condition: tuple(stimuli) for condition, stimuli in found.items()}


def make_plan(loaded: LoadedProtocol, root: Path | None = None) -> ProtocolPlan:
    """Return the plan of a protocol.

    Parameters
    ----------
    loaded : LoadedProtocol
        The protocol.
    root : Path, optional
        A folder that sources may lie in, beside the protocol's own.

    Raises
    ------
    StimgenError
        Too many stimuli; a source that cannot be used; a size that is too small for a condition's depth; two
        stimuli that would be the same.
    """
    _refuse_too_many(loaded, len(loaded.protocol.sources))
    sources, references = plan_sources(loaded, root)
    _refuse_too_many(loaded, len(sources))
    photographs = ProtocolPictures(sources, references, root)
    conditions = [_plan_condition(loaded, i, photographs) for i in range(len(loaded.protocol.conditions))]
    for i, condition in enumerate(conditions):
        for shape, source in {source.shape: source for source in condition.sources}.items():
            try:
                condition.method.check(shape)
            except StimgenError as error:
                about = error.add_prefix(f"condition {condition.id!r}, source {source.id!r}")
                raise about.add_location(loaded.document.where(("conditions", i))) from None
    _refuse_small_sources(loaded, sources)
    stimuli = tuple(_plan_stimuli(conditions))
    _refuse_duplicates(stimuli, loaded)
    used = {picture.id for condition in conditions for picture in (*condition.sources, *condition.pictures)}
    in_use = [
        tuple(picture for picture in pictures if picture.id in used) for pictures in (sources, references)
    ]
    return ProtocolPlan(loaded, in_use[0], in_use[1], tuple(conditions), stimuli)


def _plan_condition(loaded: LoadedProtocol, i: int, photographs: ProtocolPictures) -> PlannedCondition:
    condition = loaded.protocol.conditions[i]
    method, seeds = condition.resolved_method, loaded.protocol.seeds_of(condition)
    sources = photographs.select_sources(loaded, i)
    start = find_start_image(loaded, i, sources, photographs.root)
    return PlannedCondition(
        id=condition.id,
        method=method,
        sources=sources,
        seeds=seeds if method.seeded else seeds[:1],
        pictures=photographs.select_pictures(loaded, i, sources),
        start_file=start.file if start is not None else None,
        start_sha256=start.sha256 if start is not None else None,
        after=plan_postprocessing(loaded, i, sources, photographs),
    )


def _refuse_small_sources(loaded: LoadedProtocol, sources: Sequence[PlannedSource]) -> None:
    """Refuse a source that is too small for the judge."""
    judge = loaded.protocol.judge
    if judge is None:
        return
    for source in sources:
        try:
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
