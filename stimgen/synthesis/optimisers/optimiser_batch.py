"""Takes the images of a batch through the descent that all optimisers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.computation.transfer import send_numbers, send_tensor
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.plateau import PlateauDetector

StopReason = Literal["evaluations", "plateau", "tolerance", "no_descent", "non_finite"]

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
