"""Computes features of finished pictures: a network's maps, averaged over the cells of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from stimgen.execution.device import reproducible_computation
from stimgen.execution.slots import default_batch_size
from stimgen.images.prepare import Pixels
from stimgen.networks import FeatureExtractor
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.features import FeatureStatistic, Grids, overlap_fractions
from stimgen.synthesis.tensors import pad_to_slots, stack_pictures


@dataclass(frozen=True)
class GridFeatureExtractor:
    """Averages the maps of layers over a grid of `cells` x `cells`, on the device of the loaded network."""

    extract: FeatureExtractor
    layers: tuple[str, ...]
    cells: int
    device: torch.device
    statistic: FeatureStatistic = "mean"

    def compute_grids(self, pictures: Iterable[Pixels]) -> Iterator[Grids]:
        """Yield the features of pictures, batch by batch: pictures x cells x cells x features.

        Pictures are height x width x channels, all of one shape, sRGB-encoded, in [0, 1].
        """
        left = iter(pictures)
        for first in left:
            height, width, channels = first.shape
            slots = default_batch_size(self.device.type, (height, width, channels))
            batch = [first, *islice(left, slots - 1)]
            yield self._batch(pad_to_slots(batch, slots))[: len(batch)]

    def _batch(self, pictures: Sequence[Pixels]) -> Grids:
        with torch.no_grad(), reproducible_computation(self.device):
            maps = self.extract(stack_pictures(pictures, self.device))
            found_maps = [maps[name].cpu().double() for name in self.layers]
            means = [cell_means(one, self.cells) for one in found_maps]
            if self.statistic == "moments":
                means += [cell_means(one.square(), self.cells).sqrt() for one in found_maps]
        # Rounded, so that differences between kinds of machines in the last bits seldom show.
        found = torch.cat(means, 1).permute(0, 2, 3, 1).numpy()
        if not np.abs(found).max() < np.finfo(np.float16).max:
            raise StimgenError("the network's maps are too large, or not finite: no features can be kept")
        return found.astype(np.float16)


def cell_means(maps: Tensor, cells: int) -> Tensor:
    """Return the mean of maps in each cell: batch x channels x cells x cells.

    A position counts by its share that lies in the cell; positions may be larger than cells.
    """
    down, across = (_compute_overlaps(side, cells) for side in maps.shape[2:])
    return torch.einsum("ih,bchw,jw->bcij", down, maps, across)


def _compute_overlaps(positions: int, cells: int) -> Tensor:
    step = positions / cells
    rows = [overlap_fractions(i * step, step, positions, positions) for i in range(cells)]
    return torch.from_numpy(np.stack(rows))
