"""Random orthogonal weights, generated here: the embedded default, the same bits everywhere."""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from stimgen.networks.weights.base import Blueprint, Weights
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import normal

RECIPE = 1
# Unrounded QR bits change with the number of threads and the linear-algebra library.
GRID = 2.0**-12


class RandomWeights(Weights):
    """Seeded random orthogonal filters without biases; nothing to download."""

    name: Literal["random"] = "random"
    trained: ClassVar[bool] = False
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Another seed gives another network."""

    def recipe(self, network: str) -> dict[str, Any]:
        """Return network, recipe version and seed."""
        return {"name": self.name, "network": network, "recipe": RECIPE, "seed": self.seed}

    def tensors(self, blueprint: Blueprint) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the SHA-256 over their names, shapes and little-endian float32 bytes."""
        digest = hashlib.sha256()
        state: dict[str, Tensor] = {}
        for key, shape in blueprint.shapes.items():
            if len(shape) == 1:
                values = np.zeros(shape, dtype="<f4")
            else:
                values = orthogonal(shape, "random weights", RECIPE, blueprint.network, self.seed, key)
            digest.update(f"{key}{shape}".encode() + values.tobytes())
            state[key.removeprefix(blueprint.prefix)] = torch.from_numpy(values)
        return state, digest.hexdigest()


def orthogonal(shape: tuple[int, ...], *key: str | int) -> NDArray[np.float32]:
    """Return filters whose rows (or columns, where there are more filters than inputs) are orthogonal.

    The Q of a QR decomposition of normal numbers (Saxe, McClelland & Ganguli 2014), signs fixed by the
    diagonal of R so that it is unique, times the square root of two for the rectification that follows
    (He et al. 2015), rounded to 2^-12.

    Parameters
    ----------
    shape : tuple of int
        Filters x inputs x height x width.
    *key : str or int
        Names the stream of random numbers.
    """
    filters, inputs = shape[0], math.prod(shape[1:])
    tall = (max(filters, inputs), min(filters, inputs))
    q, r = np.linalg.qr(normal(math.prod(tall), *key).reshape(tall))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    matrix = q if filters >= inputs else q.T
    rounded = np.round(matrix * math.sqrt(2.0) / GRID) * GRID
    return np.ascontiguousarray(rounded.reshape(shape), dtype="<f4")
