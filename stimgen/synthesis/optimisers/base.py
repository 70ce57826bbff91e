"""What every optimiser of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stimgen.reading.registry import FamilyMember
from stimgen.synthesis.objective import Evaluation

Reason = Literal["evaluations", "tolerance", "no_descent", "non_finite"]
Evaluate = Callable[[Tensor, Tensor], Evaluation]


@dataclass(frozen=True)
class Progress:
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
class Outcome:
    """Where a minimisation ended.

    Attributes
    ----------
    images : Tensor
        The best point of every image, in the order of the batch.
    reasons : list of str
        Why each image stopped.
    """

    images: Tensor
    reasons: list[Reason]


@dataclass(frozen=True)
class Budget:
    """How long to go on.

    Attributes
    ----------
    evaluations : int
        Evaluations of the objective for every image.
    shrink : bool
        Whether images that are done may leave the batch. Not where the number of images in a batch can change
        an image's bits.
    """

    evaluations: int
    shrink: bool = True


class Optimiser(FamilyMember, ABC):
    """A way to lower an objective."""

    name: str

    @abstractmethod
    def minimise(
        self, evaluate: Evaluate, start: Tensor, budget: Budget
    ) -> Generator[Progress, None, Outcome]:
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
