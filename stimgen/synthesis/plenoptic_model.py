"""Makes an objective of the statistics of Portilla & Simoncelli (2000), which plenoptic computes.

Model and loss are plenoptic's own. The loop is ours, so that it yields its steps, prints nothing, draws no
random numbers and optimises as all methods do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stimgen.computation.threads import one_thread
from stimgen.networks.plenoptic_package import import_plenoptic
from stimgen.synthesis.evaluation import Evaluation

# The loss that plenoptic advises for this model: the darkest and the brightest pixel are left out, and the
# variance of what is finer than the finest scale weighs more, because it is small and easily seen.
EXTREMES, WEIGHT_OF_EXTREMES = slice(4, 6), 0.0
FINEST, WEIGHT_OF_FINEST = -1, 100.0

Scales = tuple[str | int, ...]


class PlenopticModel:
    """Wraps plenoptic's model for pictures of one size, in float64, with the weights of its loss.

    The size is height and width in pixels; the shape is scales and orientations of the pyramid, and the side
    of the square of shifts of autocorrelations.
    """

    def __init__(self, size: tuple[int, int], shape: tuple[int, int, int], device: torch.device) -> None:
        models = import_plenoptic("`portilla_simoncelli`").models
        scales, orientations, neighbourhood = shape
        self._model = models.PortillaSimoncelli(
            size, n_scales=scales, n_orientations=orientations, spatial_corr_width=neighbourhood
        )
        self._model.to(device=device, dtype=torch.float64)

    def statistics(self, image: Tensor, scales: Scales | None = None) -> Tensor:
        """Return the statistics of one image, 1 x 1 x height x width: 1 x 1 x their number."""
        found: Tensor = self._model(image, scales=None if scales is None else list(scales))
        return found

    def measure_target(self, image: Tensor) -> Tensor:
        """Return all statistics of a source, without a gradient."""
        with one_thread(), torch.no_grad():
            return self.statistics(image)

    def coarse_to_fine_scales(self) -> list[Scales]:
        """Return the scales that are matched in each step from coarse to fine, before all are."""
        order = self._model.scales[:-1]
        return [tuple(order[: count + 1]) for count in range(len(order))]

    def select_statistics(self, statistics: Tensor, scales: Scales | None) -> Tensor:
        """Return the statistics of some scales; of all for None."""
        if scales is None:
            return statistics
        found: Tensor = self._model.remove_scales(statistics, list(scales))
        return found

    def weights(self, statistics: Tensor) -> Tensor:
        """Return the factor of each difference in the loss."""
        weights = torch.ones_like(statistics)
        weights[..., EXTREMES] = WEIGHT_OF_EXTREMES
        weights[..., FINEST] = WEIGHT_OF_FINEST
        return weights


@dataclass(frozen=True)
class PortillaSimoncelliObjective:
    """Computes plenoptic's own objective of a batch: length of the weighted difference, and range penalty.

    Each image is computed alone and in one thread, so that its bits depend neither on others nor on threads.
    """

    model: PlenopticModel
    targets: Sequence[Tensor]
    """All statistics of every item's source; images beyond the last item are copies of it."""
    range_penalty: float
    """Weight of the squared excess outside [0, 1]."""
    scales: Scales | None = None
    """The scales whose statistics are matched; None: all."""

    def __call__(self, images: Tensor, rows: Tensor) -> Evaluation:
        """Return the loss of images, batch x 1 x height x width, by their places, with its gradient."""
        items = rows.clamp(max=len(self.targets) - 1).tolist()
        with one_thread():
            found = {item: self._evaluate_one(images[[items.index(item)]], item) for item in set(items)}
        parts, gradients = zip(*[found[item] for item in items], strict=True)
        return Evaluation(torch.stack(parts), torch.cat(gradients))

    def _evaluate_one(self, image: Tensor, item: int) -> tuple[Tensor, Tensor]:
        leaf = image.detach().requires_grad_(True)
        target = self.targets[item]
        weights = self.model.select_statistics(self.model.weights(target), self.scales)
        wanted = self.model.select_statistics(target, self.scales)
        difference = weights * (self.model.statistics(leaf, self.scales) - wanted)
        excess = (leaf - leaf.clamp(0.0, 1.0)).square().sum()
        parts = torch.stack([torch.linalg.vector_norm(difference), self.range_penalty * excess])
        (gradient,) = torch.autograd.grad(parts.sum(), leaf)
        return parts.detach(), gradient
