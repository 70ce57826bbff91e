"""Defines the keys of a stimulus protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from stimgen.images.light import Encoding
from stimgen.images.prepare import Preparation
from stimgen.images.readers.base import SourceReading
from stimgen.images.source_pipeline import SourcePresentation
from stimgen.images.steps import Steps
from stimgen.images.write import Bits
from stimgen.networks import AnyNetwork
from stimgen.networks.embedded import Embedded
from stimgen.protocol.defaults import apply_defaults
from stimgen.protocol.proof import ProofSettings, refuse_unprovable
from stimgen.protocol.source_matching import SourceMatching
from stimgen.reading.model import Flag, Integer, Label, Model, Text, TextLine, repeat_error, validation_error
from stimgen.reading.papers import Doi, Paper
from stimgen.statistics import AnyStatistic
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import AnyRegions
from stimgen.statistics.regions.grid import Grid
from stimgen.stimulus_set.factors import Factors
from stimgen.stimulus_set.metadata import Author
from stimgen.synthesis.evaluation_network import EvaluationNetwork
from stimgen.synthesis.methods import AnyMethod, Method, ObjectiveMethod
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term, TermFields

# Seeds are whole numbers that JSON readers hold exactly.
LARGEST_SEED = 2**53 - 1
Seed = Annotated[Integer, Field(ge=0, le=LARGEST_SEED)]


class SharedPreparation(Preparation, SourcePresentation, SourceReading):
    """Describes how sources become what a model measures."""


class SourceSpec(Preparation, SourcePresentation, SourceReading):
    """Names a photograph, or several, that stimuli are made from."""

    file: TextLine
    """Path relative to the protocol or absolute, a pattern such as ``"photos/*.jpg"`` in quotes, or
    ``skimage:NAME``."""
    id: Label | None = None
    """What stimuli call it; the file's name if left out."""
    licence: TextLine | None = None
    """Licence of the photograph, as an SPDX identifier if there is one."""
    credit: TextLine | None = None
    """Who made it and where it comes from."""
    description: TextLine | None = None
    """What the photograph shows, in words."""
    hed: TextLine | None = None
    """What it shows, in tags of the Hierarchical Event Descriptors: ``"Item/Object/Man-made-object"``."""
    factors: Factors = Field(default_factory=dict)
    """What analyses may group by, such as ``{category: animal}``. A pattern such as
    ``"photos/{category}/{name}.jpg"`` takes them from the names of folders and files."""


class SeedRange(Model):
    """Describes consecutive seeds."""

    first: Seed = 1
    """The first seed."""
    count: Annotated[Integer, Field(ge=1, le=1_000_000)] = 1
    """How many."""

    @model_validator(mode="after")
    def _check_last_seed(self) -> SeedRange:
        if self.first + self.count - 1 > LARGEST_SEED:
            raise validation_error(f"the last seed is beyond {LARGEST_SEED}", at="first")
        return self


Seeds = Annotated[
    Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1_000_000), Tag("list")]
    | Annotated[SeedRange, Tag("range")],
    Discriminator(lambda value: "range" if isinstance(value, (Mapping, SeedRange)) else "list"),
]


ONLY_TERM_KEYS = ("depth", "layers", "target")
TERM_KEYS = tuple(TermFields.model_fields)
OBJECTIVE_KEYS = ("objective", *TERM_KEYS, "synthesis")


class Condition(TermFields):
    """Describes one way of making stimuli: an objective and how to minimise it, or another method.

    The fields of an objective's only term may stand in the condition itself.
    """

    id: Label
    """What stimuli and analyses call it."""
    sources: Annotated[tuple[Label, ...], Field(min_length=1)] | None = None
    """Ids of the sources that it is for; all sources if left out."""
    method: AnyMethod | None = None
    """Another way than minimising an objective: a control such as ``original``, or another model."""
    objective: Annotated[tuple[Term, ...], Field(min_length=1)] | None = None
    """A list of terms. The fields of a single term may stand in the condition itself."""
    synthesis: SynthesisSettings = Field(default_factory=SynthesisSettings)
    """How stimuli are optimised."""
    seeds: Seeds | None = None
    """Seeds of this condition; the protocol's if left out."""
    after: Steps = ()
    """Steps, in their order, from the synthesised picture to what is saved; the protocol's if left out."""

    @model_validator(mode="after")
    def _check_keys(self) -> Condition:
        if self.method is not None:
            for key in OBJECTIVE_KEYS:
                if self._is_given(key):
                    name = self.method.to_dict()["name"]
                    raise validation_error(f"the method {name!r} minimises no objective", at=key)
            return self
        if self.objective is not None and any(self._is_given(key) for key in ONLY_TERM_KEYS):
            raise validation_error(
                "say either `objective`, or `depth` or `layers` of its only term", at="objective"
            )
        try:
            _ = self.resolved_method
        except ValidationError as error:
            # The members were validated before, so that only a term's or the objective's own check can fail.
            raise repeat_error(error) from None
        terms = self.resolved_method.terms if isinstance(self.resolved_method, ObjectiveMethod) else ()
        if not any(term.weight * weight for term in terms for weight in term.layer_weights.values()):
            at = "layers" if self.objective is None else "objective"
            raise validation_error("all weights are zero, so that nothing is compared", at=at)
        return self

    def _is_given(self, key: str) -> bool:
        usual = type(self).model_fields[key].get_default(call_default_factory=True)
        return bool(getattr(self, key) != usual)

    @property
    def resolved_method(self) -> Method:
        """Return the method that makes this condition's stimuli."""
        if self.method is not None:
            return self.method
        if self.objective is not None:
            return ObjectiveMethod(terms=self.objective, synthesis=self.synthesis)
        term = Term(**{key: getattr(self, key) for key in TERM_KEYS})
        return ObjectiveMethod(terms=(term,), synthesis=self.synthesis)


class OutputSettings(Model):
    """Describes what is written for every stimulus."""

    encoding: Encoding = "srgb"
    """How the values of a PNG file encode light, ``srgb`` or ``linear``; declared in the file and in the
    manifest. Luminance, contrast and soft edges are computed in that light."""
    bits: Bits = 8
    """Bits of a value in a PNG file: level k stands for k / 255 or, only for grey pictures, k / 65535."""
    array: Flag = False
    """Whether the picture before rounding is also saved, as a float32 array (.npy)."""
    snapshots: Annotated[Integer, Field(ge=1, le=1_000_000)] | None = None
    """Evaluations from one saved picture on the way to the next, in 8 bits; the first and the last picture of
    every scale are saved, too."""
    layout: Literal["flat", "nested"] = "flat"
    """``flat``: all pictures in one folder; ``nested``: in up to 1024 folders, for sets of over 10,000."""


class Protocol(Model):
    """Describes the stimuli of a set, and how they are made."""

    name: Label
    """Short name of the set; also of its folder."""
    title: TextLine | None = None
    """What the set is called when it is cited."""
    authors: tuple[Author, ...] = ()
    """Who is to be cited."""
    licence: TextLine | None = None
    """Licence of the stimulus set, as an SPDX identifier if there is one."""
    version: TextLine | None = None
    """Version of the set, quoted: "1.0"."""
    doi: Doi | None = None
    """Where the set is deposited, without ``https://doi.org/``."""
    papers: tuple[Paper, ...] = ()
    """Papers that the set follows, to be cited with it: keys of known papers, or mappings with ``key``,
    ``authors``, ``year``, ``title`` and, for example, ``venue`` and ``doi``. Papers behind networks,
    statistics and other choices are cited automatically."""
    notes: Text | None = None
    """Anything a reader should know."""
    preparation: SharedPreparation = Field(default_factory=SharedPreparation)
    """Settings that all sources share; each may override them."""
    sources: Annotated[tuple[SourceSpec, ...], Field(min_length=1)]
    """The photographs."""
    references: tuple[SourceSpec, ...] = ()
    """Other pictures that targets name; no stimuli are made from them."""
    matching: SourceMatching | None = None
    """What all sources and references share, such as their luminance histogram, before they are measured."""
    network: AnyNetwork = Field(default_factory=Embedded)
    """The network of all conditions; each may override it."""
    statistic: AnyStatistic = Field(default_factory=Gram)
    """The statistic of all conditions; each may override it."""
    regions: AnyRegions = Field(default_factory=Grid)
    """The pooling regions of all conditions; each may override them."""
    synthesis: SynthesisSettings = Field(default_factory=SynthesisSettings)
    """How stimuli are optimised; each condition may change some of it."""
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    """The ways of making stimuli."""
    seeds: Seeds = Field(default_factory=SeedRange)
    """Every seed gives another stimulus of every source and condition."""
    after: Steps = ()
    """Steps, in their order, from a synthesised picture to what is saved; each condition may list others."""
    judge: EvaluationNetwork | None = None
    """A network that compares stimuli with their sources; records contain its scores."""
    proof: ProofSettings | None = None
    """Compares metamers, stimuli whose statistic is ``content``, with pairs of unrelated pictures; records
    contain the result, and experiments refuse stimuli that are not nearer to their sources."""
    output: OutputSettings = Field(default_factory=OutputSettings)
    """What is written."""

    @model_validator(mode="before")
    @classmethod
    def _apply_defaults(cls, data: Any) -> Any:
        return apply_defaults(data)

    @model_validator(mode="after")
    def _refuse_duplicate_ids(self) -> Protocol:
        seen: set[str] = set()
        for condition in self.conditions:
            if condition.id.lower() in seen:
                raise validation_error(f"two conditions have the id {condition.id!r}", at="conditions")
            seen.add(condition.id.lower())
        return self

    @model_validator(mode="after")
    def _check_proof(self) -> Protocol:
        if self.proof is not None:
            refuse_unprovable(self.proof, [condition.resolved_method for condition in self.conditions])
        return self

    def seeds_of(self, condition: Condition) -> Sequence[int]:
        """Return the seeds of a condition."""
        seeds = condition.seeds if condition.seeds is not None else self.seeds
        if isinstance(seeds, SeedRange):
            return range(seeds.first, seeds.first + seeds.count)
        return seeds
