"""Lets vision transformers with a table of positions see pictures of any size."""

from __future__ import annotations

import math

import torch
from torch import Tensor, fx
from torch.nn.functional import interpolate


def resize_positions(module: fx.GraphModule, table: str, patches: str) -> None:
    """Resize the table of a traced model to the grid of each picture.

    `table` is the path of a parameter, 1 x (tokens without a place + side^2) x channels, and `patches` that
    of the module whose result, batch x channels x rows x columns, becomes the tokens.
    """
    graph = module.graph
    grid = next(node for node in graph.nodes if node.op == "call_module" and node.target == patches)
    for node in [n for n in graph.nodes if n.op == "get_attr" and n.target == table]:
        with graph.inserting_after(node):
            resized = graph.call_function(fit_positions, (node, grid))
        node.replace_all_uses_with(resized, lambda user, own=resized: user is not own)
    module.recompile()


def fit_positions(table: Tensor, patches: Tensor) -> Tensor:
    """Return a table of positions for the grid of `patches`, by bicubic interpolation.

    Dosovitskiy et al. (2021) resize them so for pictures of another size. Corners stay where they are, as in
    torchvision's own ``interpolate_embeddings``.
    """
    rows, columns = patches.shape[2:]
    side = math.isqrt(table.shape[1])
    if rows == columns == side:
        return table
    others, places = table[:, : table.shape[1] - side**2], table[:, table.shape[1] - side**2 :]
    square = places.transpose(1, 2).reshape(1, -1, side, side).float()
    fitted = interpolate(square, (rows, columns), mode="bicubic", align_corners=True)
    return torch.cat([others, fitted.flatten(2).transpose(1, 2).to(others.dtype)], dim=1)
