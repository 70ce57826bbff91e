"""Averages feature maps over the positions of a coarser grid."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from stimgen.images.averaging import weigh_positions
from stimgen.statistics.regions.placed_weights import place_weights


def average_to_size(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps averaged as torch's `adaptive_avg_pool2d` does: batch x channels x height x width.

    That function's gradient is summed in no fixed order on CUDA, and on Apple's GPUs some versions have it
    only for sizes that divide each other: there, averages are products with matrices.
    """
    if maps.device.type == "cpu":
        return adaptive_avg_pool2d(maps, (height, width))
    if maps.shape[2:] == (height, width):
        return maps
    down = place_weights(weigh_positions(maps.shape[2], height), maps)
    across = place_weights(weigh_positions(maps.shape[3], width), maps)
    return down @ maps @ across.T
