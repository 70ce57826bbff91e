"""Multiplies gradients with the inverse Hessian of L-BFGS by few products of matrices, for GPUs.

For 20 corrections the two-loop recursion is some 260 operations one after the other, and a GPU waits for the
next one longer than each takes. Here they are some thirty, whatever the number of corrections.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.computation.precision import precise_dtype
from stimgen.computation.transfer import send_tensor


def multiply_inverse_hessian(
    gradient: Tensor, steps: Tensor, changes: Tensor, pairs: Sequence[Sequence[int]]
) -> Tensor:
    """Return the inverse Hessian times the gradient of every image (Byrd, Nocedal & Schnabel 1994, eq. 3.1).

    With R the upper triangle of S^T Y, oldest correction first, D its diagonal, and gamma = s y / y y of the
    newest: u = R^-1 S^T g, v = R^-T (D u + gamma (Y^T Y u - Y^T g)), H g = gamma g + S v - gamma Y u.

    Parameters
    ----------
    gradient : Tensor
        Images x numbers.
    steps, changes : Tensor
        S and Y: images x places x numbers.
    pairs : sequence of sequence of int
        For each image the places of its corrections, newest first.
    """
    if not any(pairs):
        return gradient
    dtype = precise_dtype(gradient.device)
    order = send_tensor(torch.from_numpy(_list_places(pairs, steps.shape[1])), gradient.device, dtype)

    def multiply(left: Tensor, right: Tensor) -> Tensor:
        return torch.bmm(left, right).to(dtype)

    # Products of all places, then of corrections in their order; of those that are missing they are zero.
    column, turned = gradient.unsqueeze(2), changes.transpose(1, 2)
    along_steps, along_changes = (order @ multiply(each, column) for each in (steps, changes))
    crossed, squared = (order @ multiply(each, turned) @ order.mT for each in (steps, changes))
    diagonal, missing = crossed.diagonal(dim1=1, dim2=2), 1.0 - order.sum(2)
    upper = crossed.triu() + torch.diag_embed(missing)
    newest = diagonal[:, -1] / squared[:, -1, -1].clamp_min(torch.finfo(gradient.dtype).tiny)
    gamma = torch.where(missing[:, -1] > 0, 1.0, newest)[:, None, None]
    first = torch.linalg.solve_triangular(upper, along_steps, upper=True)
    inner = diagonal.unsqueeze(2) * first + gamma * (squared @ first - along_changes)
    second = torch.linalg.solve_triangular(upper.mT, inner, upper=False)
    weights = torch.cat([second, -gamma * first], dim=2)
    shares = (order.mT @ weights).to(gradient.dtype)
    added = torch.bmm(shares[:, :, :1].mT, steps) + torch.bmm(shares[:, :, 1:].mT, changes)
    return gamma[:, :, 0].to(gradient.dtype) * gradient + added.squeeze(1)


def _list_places(pairs: Sequence[Sequence[int]], places: int) -> NDArray[np.float32]:
    """Return images x corrections x places: one at the place of each, oldest first, missing ones in front."""
    most = max(len(listed) for listed in pairs)
    order = np.zeros((len(pairs), most, places), dtype=np.float32)
    for image, listed in enumerate(pairs):
        for i, place in enumerate(listed):
            order[image, most - 1 - i, place] = 1.0
    return order
