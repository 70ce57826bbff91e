"""Defines what every optimiser offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import Integer, Number
from stimgen.reading.registry import FamilyMember
from stimgen.synthesis.optimisers.optimiser_batch import (
    Evaluate,
    OptimisationResult,
    OptimiserBatch,
    SynthesisStep,
    run_descent,
)
from stimgen.synthesis.optimisers.plateau import PlateauDetector
from stimgen.synthesis.ranges import PixelBounds

# Point, gradient, direction and the like, as many of an image's size.
BASE_VECTORS = 8


@dataclass(frozen=True)
class DescentConditions:
    """Describes what a descent has to respect."""

    bounds: PixelBounds | None = None
    """What no variable may leave, for an optimiser that keeps bounds."""
    noisy: bool = False
    """Whether each evaluation draws its own random numbers, so that losses cannot be compared."""
    plateau: PlateauDetector | None = None
    """What finds images that have nearly stopped changing, so that they stop."""


class Optimiser(FamilyMember, ABC):
    """Lowers an objective for every image of a batch."""

    name: str
    keeps_bounds: ClassVar[bool] = False
    """Whether no variable ever leaves the bounds."""
    handles_noise: ClassVar[bool] = False
    """Whether it makes progress although losses of different evaluations cannot be compared."""
    finds_steps: ClassVar[bool] = False
    """Whether it finds out how long its steps should be, so that short ones mean that little is left."""

    @property
    def vectors(self) -> int:
        """Return how many numbers it keeps for each number of an image, for estimates of memory."""
        return BASE_VECTORS

    def minimise(
        self,
        evaluate: Evaluate,
        start: Tensor,
        evaluations: int,
        conditions: DescentConditions | None = None,
    ) -> Generator[SynthesisStep, None, OptimisationResult]:
        """Lower the objective of every image, yielding a step after each evaluation.

        Parameters
        ----------
        evaluate : callable
            From variables, and the places of their images in the batch, to an `Evaluation`: an `Objective`,
            or a function of your own.
        start : Tensor
            Images x ...; at least two, because one image alone is summed in another order.
        evaluations : int
            How often the objective is evaluated at most.
        conditions : DescentConditions, optional
            Bounds, noise of the objective, and when images stop early; nothing of it if left out.

        Examples
        --------
        >>> import torch
        >>> from stimgen.reading.generators import run_generator
        >>> from stimgen.synthesis.evaluation import Evaluation
        >>> from stimgen.synthesis.optimisers.lbfgs import Lbfgs
        >>> def evaluate(x, rows):
        ...     return Evaluation((x - 3).square(), 2 * (x - 3))
        >>> run_generator(Lbfgs().minimise(evaluate, torch.zeros(2, 1), 10)).images
        tensor([[3.],
                [3.]])
        """
        # On a GPU the number of images in a batch can change an image's bits: there all of them stay.
        shrink = start.device.type == "cpu"
        found = conditions or DescentConditions()
        batch = self.begin(start, found.bounds, noisy=found.noisy)
        return (yield from run_descent(batch, evaluate, evaluations, shrink=shrink, plateau=found.plateau))

    @abstractmethod
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> OptimiserBatch[Any]:
        """Return the images at their start; the parameters are those of `minimise`."""


class QuasiNewton(Optimiser):
    """Keeps corrections that approximate the curvature of the objective."""

    finds_steps: ClassVar[bool] = True
    history: Annotated[Integer, Field(ge=1, le=200)] = 20
    """Number of corrections kept (Gatys, Ecker & Bethge 2015: 20)."""
    tolerance: Annotated[Number, Field(ge=0.0, lt=1.0)] = 0.0
    """An image stops when an iteration lowers its loss by less than this part of it; 0: never."""

    @property
    @override
    def vectors(self) -> int:
        return 2 * self.history + super().vectors  # two for each correction
