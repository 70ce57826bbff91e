"""What every method offers, and what goes in and out."""

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
from stimgen.synthesis.snapshots import Snapshot
from stimgen.synthesis.starts import Start
from stimgen.synthesis.starts.noise import NormalNoise


@dataclass(frozen=True, eq=False)
class SynthesisItem:
    """One stimulus to make.

    Attributes
    ----------
    source, start : Pixels
        Height x width x channels, range [0, 1]; the same shape for all items of a batch.
    source_key : str
        Equal for items with the same source, so that it is measured once.
    key : tuple
        The hash of the source and the seed: what random numbers depend on.
    """

    source: Pixels
    start: Pixels
    source_key: str
    key: tuple[str, int]


@dataclass(frozen=True)
class SynthesisBatch:
    """Stimuli that are made together.

    Attributes
    ----------
    items : sequence of SynthesisItem
        At least one.
    slots : int
        How many images are computed at once; the batch is padded to it.
    shrink : bool
        Whether images that are done may leave the batch.
    pictures : mapping
        Other pictures that the method names, by their ids; of the shape of the items.
    snapshots : int
        Evaluations from one picture that is kept on the way to the next; 0: none.
    """

    items: Sequence[SynthesisItem]
    slots: int
    shrink: bool
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    snapshots: int = 0


@dataclass(frozen=True)
class SynthesisStep:
    """One evaluation of a batch.

    Attributes
    ----------
    scale : int
        From 0, the coarsest.
    evaluation : int
        Counted over all scales, from 1.
    total : int
        Evaluations that there will be at the most.
    losses : array
        The loss of every item, NaN where it was not evaluated any more.
    """

    scale: int
    evaluation: int
    total: int
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class Losses:
    """The objective at one image: the whole, and every part by its name."""

    total: float
    parts: dict[str, float]


@dataclass(frozen=True)
class TraceEntry:
    """One line of a trace: a scale, an evaluation at that scale (from 1), and what it found."""

    scale: int
    evaluation: int
    losses: Losses


@dataclass(frozen=True)
class SynthesisResult:
    """What a method made of a batch; every list has one entry an item.

    Attributes
    ----------
    images : list of Pixels
        Height x width x channels, nominal range [0, 1], not clipped.
    start : list of Losses or None
        At the start image; None where no objective is minimised.
    traces : list of list of TraceEntry
        Every evaluation.
    reasons : list of str
        Why each item stopped; ``non_finite`` means that it failed.
    measure : callable or None
        From one image an item to the losses of each.
    weights_sha256 : dict
        Hash of the weights in use, by the network's name.
    snapshots : list of list of Snapshot
        What was asked for of pictures on the way; empty where a method has no way.
    """

    images: list[Pixels]
    start: list[Losses] | None
    traces: list[list[TraceEntry]]
    reasons: list[str]
    measure: Callable[[Sequence[Pixels]], list[Losses]] | None
    weights_sha256: list[tuple[str, str | None]]
    snapshots: list[list[Snapshot]] = field(default_factory=list)

    def snapshots_of(self, i: int) -> list[Snapshot]:
        """Return the snapshots of an item, in the order of their making."""
        return self.snapshots[i] if self.snapshots else []


@dataclass(frozen=True)
class ReferenceInfo:
    """What is known of the pictures that a method names, beside the sources.

    Attributes
    ----------
    start_sha256 : str or None
        Hash of the picture that the synthesis starts from.
    pictures : mapping
        What determines the pixels of the others, by their ids.
    """

    start_sha256: str | None = None
    pictures: Mapping[str, dict[str, Any]] = field(default_factory=dict)


class Method(FamilyMember, ABC):
    """A way from a source to a stimulus."""

    seeded: ClassVar[bool] = True
    """Whether another seed gives another stimulus; where not, only the first seed is used."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Packages, beside those of all methods, whose versions a record tells."""

    @property
    def start(self) -> Start:
        """The noise, or picture, that the method begins with."""
        return NormalNoise()

    @property
    def pictures(self) -> tuple[str, ...]:
        """The ids of all pictures that are measured beside the source."""
        return ()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are measured, shallow to deep."""
        return ()

    @abstractmethod
    def parameters(self, width: int, height: int) -> int:
        """Return the number of parameters that describe a source of so many pixels."""

    @abstractmethod
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return ``terms`` and ``settings``: what determines it beside source, schedule and seed."""

    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse a source that the method cannot work with, by its height, width and channels.

        Raises
        ------
        StimgenError
            With what would do.
        """
        del shape

    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return width, height and evaluations at the most of every scale of a picture, coarse to fine."""
        return [(width, height, 0)]

    def evaluations(self, width: int, height: int) -> int:
        """Return how often the objective is evaluated for a picture, at the most."""
        return sum(count for _, _, count in self.schedule(width, height))

    def limit_evaluations(self, evaluations: int) -> Method:
        """Return the same method with so many evaluations at every scale; without any, the method itself."""
        del evaluations
        return self

    def load(self, device: torch.device) -> None:
        """Load what `run` will need, so that what is missing is found before anything is made.

        Raises
        ------
        StimgenError
            Weights, or a package, are missing or wrong.
        """
        del device

    @abstractmethod
    def memory(self, width: int, height: int, channels: int) -> int:
        """Return an estimate of the bytes that one image of a batch needs while it is made."""

    def validations(self) -> list[Validation]:
        """Return whether the networks in use were validated with human observers."""
        return []

    @abstractmethod
    def run(
        self, batch: SynthesisBatch, device: torch.device
    ) -> Generator[SynthesisStep, None, SynthesisResult]:
        """Make a batch of stimuli, yielding after each evaluation.

        Raises
        ------
        StimgenError
            Weights are missing or wrong.
        """
