"""What every optimiser of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stimgen.reading.registry import FamilyMember
from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.ranges import PixelBounds

StopReason = Literal["evaluations", "tolerance", "no_descent", "non_finite"]
# Point, gradient, direction and the like, as many of an image's size.
BASE_VECTORS = 8

Evaluate = Callable[[Tensor, Tensor], Evaluation]


@dataclass(frozen=True)
class OptimiserProgress:
    """What one evaluation of the objective found.

    Attributes
    ----------
    rows : array of int
        Places in the batch of the images that were evaluated.
    parts : array
        Images x parts of the loss, float64.
    """

    rows: NDArray[np.int64]
    parts: NDArray[np.float64]


@dataclass(frozen=True)
class OptimisationResult:
    """Where a minimisation ended.

    Attributes
    ----------
    images : Tensor
        The lowest point of every image, in the order of the batch; where losses are noisy, the last.
    reasons : list of str
        Why each image stopped.
    """

    images: Tensor
    reasons: list[StopReason]


@dataclass(frozen=True)
class Budget:
    """How long to go on, and where.

    Attributes
    ----------
    evaluations : int
        Evaluations of the objective for every image.
    shrink : bool
        Whether images that are done may leave the batch. Not where the number of images in a batch can change
        an image's bits.
    noisy : bool
        Whether the losses of different evaluations do not compare, because each draws its own random numbers.
    bounds : PixelBounds or None
        What no variable may leave, for an optimiser that keeps bounds.
    """

    evaluations: int
    shrink: bool = True
    noisy: bool = False
    bounds: PixelBounds | None = None


class Optimiser(FamilyMember, ABC):
    """A way to lower an objective."""

    name: str
    keeps_bounds: ClassVar[bool] = False
    """Whether no variable ever leaves the budget's bounds."""
    bears_noise: ClassVar[bool] = False
    """Whether it gets somewhere although losses of different evaluations do not compare."""

    @property
    def vectors(self) -> int:
        """Numbers kept for each of an image's, for estimates of memory."""
        return BASE_VECTORS

    @abstractmethod
    def minimise(
        self, evaluate: Evaluate, start: Tensor, budget: Budget
    ) -> Generator[OptimiserProgress, None, OptimisationResult]:
        """Lower the objective of every image, yielding after each evaluation.

        Parameters
        ----------
        evaluate : callable
            From images and their places in the batch to an `Evaluation`.
        start : Tensor
            Batch x ...; at least two images, because one alone is summed in another order.
        budget : Budget
            When to stop.
        """


class OptimiserBatch(Protocol):
    """The images of a batch on their way down."""

    @property
    def all_done(self) -> bool:
        """Whether no image needs another evaluation."""

    def trial(self) -> tuple[Tensor, Tensor]:
        """Return the points to evaluate and their places in the batch."""

    def take_in(self, evaluation: Evaluation) -> OptimiserProgress:
        """Hand every image its evaluation, and find the points to evaluate next."""

    def drop_done(self) -> None:
        """Take images that are done out of the batch, but never leave one alone."""

    def outcome(self) -> OptimisationResult:
        """Return the best point of every image, in the order of the batch."""


def run_descent(
    batch: OptimiserBatch, evaluate: Evaluate, budget: Budget
) -> Generator[OptimiserProgress, None, OptimisationResult]:
    """Evaluate the objective until all images are done or the budget is, yielding after each evaluation."""
    for _ in range(budget.evaluations):
        yield batch.take_in(evaluate(*batch.trial()))
        if batch.all_done:
            break
        if budget.shrink:
            batch.drop_done()
    return batch.outcome()


def select_remaining(reasons: Sequence[StopReason | None]) -> list[int]:
    """Return the images that stay in a batch: all that go on, and of the others enough for two in all."""
    active = [i for i, reason in enumerate(reasons) if reason is None]
    done = [i for i, reason in enumerate(reasons) if reason is not None]
    return sorted(active + done[: max(0, 2 - len(active))])
