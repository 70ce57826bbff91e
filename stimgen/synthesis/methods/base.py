"""What every method offers, and what goes in and out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stimgen.images.colour_matching import ColourMatching
from stimgen.images.prepare import Pixels
from stimgen.networks import Validation
from stimgen.reading.model import Model
from stimgen.synthesis.starts import Start


@dataclass(frozen=True, eq=False)
class Item:
    """One stimulus to make.

    Attributes
    ----------
    source, start : Pixels
        Height x width x channels, range [0, 1]; the same shape for all items of a batch.
    source_key : str
        Equal for items with the same source, so that it is measured once.
    """

    source: Pixels
    start: Pixels
    source_key: str


@dataclass(frozen=True)
class Batch:
    """Stimuli that are made together.

    Attributes
    ----------
    items : sequence of Item
        At least one.
    slots : int
        How many images are computed at once; the batch is padded to it.
    shrink : bool
        Whether images that are done may leave the batch.
    """

    items: Sequence[Item]
    slots: int
    shrink: bool


@dataclass(frozen=True)
class Step:
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
class Traced:
    """One line of a trace: a scale, an evaluation at that scale (from 1), and what it found."""

    scale: int
    evaluation: int
    losses: Losses


@dataclass(frozen=True)
class Result:
    """What a method made of a batch; every list has one entry an item.

    Attributes
    ----------
    images : list of Pixels
        Height x width x channels, nominal range [0, 1], not clipped.
    start : list of Losses
        At the start image.
    traces : list of list of Traced
        Every evaluation.
    reasons : list of str
        Why each item stopped; ``non_finite`` means that it failed.
    measure : callable
        From one image an item to the losses of each.
    weights_sha256 : dict
        Hash of the weights in use, by the network's name.
    """

    images: list[Pixels]
    start: list[Losses]
    traces: list[list[Traced]]
    reasons: list[str]
    measure: Callable[[Sequence[Pixels]], list[Losses]]
    weights_sha256: list[tuple[str, str | None]]


class Method(Model, ABC):
    """A way from a source to a stimulus."""

    @property
    @abstractmethod
    def start(self) -> Start:
        """Where the synthesis begins."""

    @property
    @abstractmethod
    def colour_matching(self) -> ColourMatching:
        """What is done to the finished picture's colours."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of parameters that describe a source."""

    @abstractmethod
    def recipe(self, start_sha256: str | None) -> dict[str, Any]:
        """Return ``terms`` and ``settings``: what determines it beside source, schedule and seed."""

    @abstractmethod
    def check(self, width: int, height: int) -> None:
        """Refuse a size that the method cannot work with.

        Raises
        ------
        StimgenError
            With the smallest size that would do.
        """

    @abstractmethod
    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return width, height and evaluations at the most of every scale of a picture, coarse to fine."""

    def evaluations(self, width: int, height: int) -> int:
        """Return how often the objective is evaluated for a picture, at the most."""
        return sum(count for _, _, count in self.schedule(width, height))

    @abstractmethod
    def load(self, device: torch.device) -> None:
        """Load what `run` will need, so that what is missing is found before anything is made.

        Raises
        ------
        StimgenError
            Weights are missing or wrong.
        """

    @abstractmethod
    def memory(self, width: int, height: int, channels: int) -> int:
        """Return an estimate of the bytes that one image of a batch needs while it is made."""

    @abstractmethod
    def validations(self) -> list[Validation]:
        """Return whether the models in use were validated with human observers."""

    @abstractmethod
    def run(self, batch: Batch, device: torch.device) -> Generator[Step, None, Result]:
        """Make a batch of stimuli, yielding after each evaluation.

        Raises
        ------
        StimgenError
            Weights are missing or wrong.
        """
