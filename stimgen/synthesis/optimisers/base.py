"""Defines what every optimiser offers, and the loop that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.computation.transfer import send_numbers, send_tensor
from stimgen.reading.model import Integer, Number
from stimgen.reading.registry import FamilyMember
from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.optimisers.plateau import PlateauDetector
from stimgen.synthesis.ranges import PixelBounds

StopReason = Literal["evaluations", "plateau", "tolerance", "no_descent", "non_finite"]
# Point, gradient, direction and the like, as many of an image's size.
BASE_VECTORS = 8

Evaluate = Callable[[Tensor, Tensor], Evaluation]


@dataclass(frozen=True, eq=False)
class SynthesisStep:
    """Reports one evaluation of the objective for a batch of images.

    Optimisers and methods both yield it. A method counts evaluations over all scales and leaves padding out
    of `losses`.
    """

    evaluation: int  # from 1
    total: int  # evaluations that there will be at most
    losses: NDArray[np.float64]  # of every image of the batch; NaN for images that have stopped
    rows: NDArray[np.int64]  # places in the batch of the images that were evaluated
    parts: NDArray[np.float64]  # of their losses: rows x parts
    variables: Tensor  # where they were evaluated: rows x channels x height x width
    scale: int = 0  # from 0, the coarsest


@dataclass(frozen=True)
class OptimisationResult:
    """Holds what a minimisation found, and why each image stopped."""

    images: Tensor
    """The lowest point of every image, in the order of the batch; the last point if losses are noisy."""
    reasons: list[StopReason]


class ImageState(Protocol):
    """Represents one image of a batch: its place there, and why it stopped, if it did."""

    row: int
    reason: StopReason | None


StateT = TypeVar("StateT", bound=ImageState)


class OptimiserBatch(ABC, Generic[StateT]):
    """Holds the images of a batch on their way to a minimum; subclasses add the pixels."""

    def __init__(self, images: Sequence[StateT]) -> None:
        self.images = list(images)
        self._minima: dict[int, tuple[Tensor, StopReason]] = {}

    @abstractmethod
    def next_points(self) -> Tensor:
        """Return where every image is to be evaluated next."""

    @abstractmethod
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        """Take an evaluation, move the `active` images, and return the parts of all losses as float64."""

    @abstractmethod
    def find_minimum(self, i: int) -> Tensor:
        """Return the best point of the i-th image of the batch."""

    def keep(self, index: Tensor) -> None:
        """Keep the pixels of these images only."""

    def close(self) -> None:
        """Release what the batch holds; called at the end, whatever happened."""

    def stop_settled(self, settled: Sequence[bool]) -> None:
        """End the images that have nearly stopped changing, unless they ended in another way."""
        for image, is_settled in zip(self.images, settled, strict=True):
            if is_settled and image.reason is None:
                image.reason = "plateau"

    def drop_done(self) -> None:
        """Take images that are done out of the batch, but never leave one alone."""
        active = [i for i, image in enumerate(self.images) if image.reason is None]
        done = [i for i, image in enumerate(self.images) if image.reason is not None]
        keep = sorted(active + done[: max(0, 2 - len(active))])
        if len(keep) < len(self.images):
            self._store_minima(done)
            self.keep(torch.tensor(keep))
            self.images = [self.images[i] for i in keep]

    def finish(self) -> OptimisationResult:
        """Return the best point of every image, in the order of the batch."""
        self._store_minima(range(len(self.images)))
        found = [self._minima[row] for row in sorted(self._minima)]
        return OptimisationResult(torch.stack([point for point, _ in found]), [reason for _, reason in found])

    def _store_minima(self, places: Sequence[int]) -> None:
        for i in places:
            image = self.images[i]
            if image.row not in self._minima:
                self._minima[image.row] = self.find_minimum(i).clone(), image.reason or "evaluations"


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
        >>> from stimgen.synthesis.objective import Evaluation
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


def run_descent(
    batch: OptimiserBatch[StateT],
    evaluate: Evaluate,
    evaluations: int,
    *,
    shrink: bool,
    plateau: PlateauDetector | None = None,
) -> Generator[SynthesisStep, None, OptimisationResult]:
    """Evaluate the objective until all images are done, or for the given number of evaluations.

    `shrink` says whether images that are done may leave the batch; `plateau`, which have nearly stopped
    changing and are done.
    """
    count = len(batch.images)
    rows, places = np.zeros(0, dtype=np.int64), torch.zeros(0)
    try:
        for evaluation in range(1, evaluations + 1):
            points = batch.next_points()
            active = [i for i, image in enumerate(batch.images) if image.reason is None]
            if len(rows) != len(batch.images):  # images only ever leave
                rows = np.array([image.row for image in batch.images])
                places = send_tensor(torch.from_numpy(rows), points.device)
            found = evaluate(points, places)
            parts = batch.update(found, active)[active]
            losses = np.full(count, np.nan)
            losses[rows[active]] = [row.sum() for row in parts]
            variables = points if len(active) == len(points) else _select_images(points, active)
            yield SynthesisStep(evaluation, evaluations, losses, rows[active], parts, variables)
            if plateau is not None and plateau.is_due(evaluation):
                batch.stop_settled(plateau.find_settled(points, rows.tolist()))
            if all(image.reason is not None for image in batch.images):
                break
            if shrink:
                batch.drop_done()
        return batch.finish()
    finally:
        batch.close()


def _select_images(points: Tensor, chosen: Sequence[int]) -> Tensor:
    return points.index_select(0, send_numbers(chosen, points.device, torch.long))


def broadcast(values: Sequence[float], like: Tensor) -> Tensor:
    """Return one number, or truth value, for each image, in a shape that broadcasts over its pixels."""
    dtype = torch.bool if isinstance(values[0], bool) else like.dtype
    return send_numbers(values, like.device, dtype).reshape(-1, *(1,) * (like.dim() - 1))
