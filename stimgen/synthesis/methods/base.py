"""Defines what every method offers, what it is given and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from stimgen.images.prepare import Pixels
from stimgen.networks import Validation
from stimgen.reading.registry import FamilyMember
from stimgen.synthesis.optimisers import SynthesisStep
from stimgen.synthesis.snapshots import Snapshot
from stimgen.synthesis.starts import Start
from stimgen.synthesis.starts.noise import NormalNoise


@dataclass(frozen=True, eq=False)
class SynthesisItem:
    """Describes one stimulus to make; all items of a batch have pictures of one shape."""

    source: Pixels
    start: Pixels
    source_key: str
    """Equal for items with the same source, so that it is measured once."""
    key: tuple[str, int]
    """The hash of the source and the seed, on which random numbers depend."""


@dataclass(frozen=True)
class SynthesisBatch:
    """Groups stimuli that are made together."""

    items: Sequence[SynthesisItem]
    slots: int
    """How many images are computed at once, at least two; the batch is padded to it."""
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    """Other pictures that the method names, by their ids; of the shape of the items."""
    snapshots: int = 0
    """Evaluations from one picture that is kept to the next; 0: none."""


@dataclass(frozen=True)
class Losses:
    """Holds the objective at one image: the whole, and every part by its name."""

    total: float
    parts: dict[str, float]


Measure = Callable[[Sequence[Pixels]], list[Losses]]


@dataclass(frozen=True)
class TraceEntry:
    """Holds one line of a trace: a scale, an evaluation at that scale (from 1), and its losses."""

    scale: int
    evaluation: int
    losses: Losses


@dataclass(frozen=True)
class SynthesisResult:
    """Holds what a method made of a batch; every list has one entry an item."""

    images: list[Pixels]
    """Height x width x channels, nominal range [0, 1], not clipped."""
    start: list[Losses] | None
    """Losses at the start image; None if no objective is minimised."""
    traces: list[list[TraceEntry]]
    reasons: list[str]
    """Why each item stopped; ``non_finite`` means that it failed."""
    measure: Measure | None
    """From one image an item to the losses of each."""
    weights_sha256: list[tuple[str, str | None]]
    """Every network's name, with the hash of the weights in use."""
    snapshots: list[list[Snapshot]] = field(default_factory=list)
    """Pictures on the way, if requested; empty for methods that compute a picture at once."""
    amplitudes: Sequence[Pixels | NDArray[np.float64] | None] = ()
    """Pictures with the amplitude spectra that stimuli should have; empty if no method gives them any."""

    def snapshots_of(self, i: int) -> list[Snapshot]:
        """Return the snapshots of an item, in the order in which they were made."""
        return self.snapshots[i] if self.snapshots else []


SynthesisRun = Generator[SynthesisStep, None, SynthesisResult]


@dataclass(frozen=True)
class ReferenceInfo:
    """Identifies the pictures that a method names in addition to the sources."""

    start_sha256: str | None = None
    """Hash of the picture that the synthesis starts from."""
    pictures: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What determines the pixels of the others, by their ids."""


class Method(FamilyMember, ABC):
    """Makes stimuli from sources."""

    seeded: ClassVar[bool] = True
    """Whether another seed gives another stimulus; where not, only the first seed is used."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Packages whose versions are recorded, in addition to those of all methods."""

    @property
    def required_packages(self) -> tuple[str, ...]:
        """Return the packages whose versions are recorded, in addition to those of all methods."""
        return self.packages

    @property
    def start(self) -> Start:
        """Return the noise, or picture, that the method begins with."""
        return NormalNoise()

    @property
    def pictures(self) -> tuple[str, ...]:
        """Return the ids of all pictures that are measured in addition to the source."""
        return ()

    @property
    def region_files(self) -> tuple[str, ...]:
        """Return the paths of the files that pooling regions are read from."""
        return ()

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the layers that are measured, shallow to deep."""
        return ()

    @abstractmethod
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        """Return the number of parameters that describe a source of this size and number of channels."""

    @abstractmethod
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return ``terms`` and ``settings``, which determine a stimulus with source, schedule and seed."""

    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse, by `StimgenError`, a source of a height, width or channels that the method cannot use."""

    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return width, height and most evaluations of every scale of a picture, coarse to fine."""
        return [(width, height, 0)]

    def count_evaluations(self, width: int, height: int) -> int:
        """Return how often the objective is evaluated for a picture at most."""
        return sum(count for _, _, count in self.schedule(width, height))

    def limit_evaluations(self, evaluations: int) -> Method:
        """Return the method with this number of evaluations at every scale; itself if it needs none."""
        del evaluations
        return self

    def load(self, device: torch.device) -> None:
        """Load what `run` will need, so that missing weights or packages raise `StimgenError` early."""

    @abstractmethod
    def estimate_memory(self, width: int, height: int, channels: int) -> int:
        """Return an estimate of the bytes that one image of a batch needs while it is made."""

    def validations(self) -> list[Validation]:
        """Return whether the networks in use were validated with human observers."""
        return []

    @abstractmethod
    def run(self, batch: SynthesisBatch, device: torch.device) -> SynthesisRun:
        """Make a batch of stimuli, yielding a step after each evaluation; raises as `load`."""
