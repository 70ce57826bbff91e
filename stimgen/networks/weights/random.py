"""Random orthogonal weights, generated here: the embedded default, the same bits everywhere."""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from stimgen.networks.weights.base import StateDictSpec, Weights
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import normal

RECIPE = 2
# Unrounded QR bits change with the number of threads and the linear-algebra library.
GRID = 2.0**-12
# Photographs have amplitudes of about 1 / frequency and little colour. Filters that see the picture itself
# weigh patterns by the square root of their frequency plus the first number, and colour by the second.
CONSTANT, COLOUR = 0.1, 2.0
RGB = 3


class RandomWeights(Weights):
    """Seeded random orthogonal filters without biases; nothing to download."""

    phrase = "random orthogonal weights"
    papers = ("he2016random", "saxe2014")

    name: Literal["random"] = "random"
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Another seed gives another network."""

    @property
    def trained(self) -> bool:
        """Return that nothing was learnt."""
        return False

    def recipe(self, network: str) -> dict[str, Any]:
        """Return network, recipe version and seed."""
        return {"name": self.name, "network": network, "recipe": RECIPE, "seed": self.seed}

    def load_tensors(self, blueprint: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the SHA-256 over their names, shapes and little-endian float32 bytes."""
        digest = hashlib.sha256()
        state: dict[str, Tensor] = {}
        for key, shape in blueprint.shapes.items():
            if len(shape) == 1:
                values = np.full(shape, _is_scale(key), dtype="<f4")
            else:
                values = generate_filters(shape, "random weights", RECIPE, blueprint.network, self.seed, key)
            digest.update(f"{key}{shape}".encode() + values.tobytes())
            state[key.removeprefix(blueprint.prefix)] = torch.from_numpy(values)
        return state, digest.hexdigest()


def _is_scale(key: str) -> bool:
    """Return whether a vector multiplies or divides: those of a batch normalisation, which are ones."""
    return key.endswith((".weight", ".running_var"))


def generate_filters(shape: tuple[int, ...], *key: str | int) -> NDArray[np.float32]:
    """Return a layer's filters: orthogonal, scaled for the rectification to follow (He et al. 2015), rounded.

    Parameters
    ----------
    shape : tuple of int
        Filters x inputs x height x width; three inputs are the picture's colours.
    *key : str or int
        Names the stream of random numbers.
    """
    matrix = generate_orthogonal_filters(shape, *key) * math.sqrt(2.0)
    if shape[1] == RGB:
        matrix = matrix @ _compensation_matrix(shape[2])
    return np.ascontiguousarray((np.round(matrix / GRID) * GRID).reshape(shape), dtype="<f4")


def generate_orthogonal_filters(shape: tuple[int, ...], *key: str | int) -> NDArray[np.float64]:
    """Return filters whose rows (or columns, where there are more filters than inputs) are orthonormal.

    The Q of a QR decomposition of normal numbers (Saxe, McClelland & Ganguli 2014), unique because the
    diagonal of R is positive.

    Parameters
    ----------
    shape : tuple of int
        Filters x inputs x height x width.
    *key : str or int
        Names the stream of random numbers.

    Returns
    -------
    array
        Filters x (inputs * height * width).
    """
    rows, inputs = shape[0], math.prod(shape[1:])
    tall = (max(rows, inputs), min(rows, inputs))
    q = _orthonormalise(normal(math.prod(tall), *key).reshape(tall))
    return q if rows >= inputs else q.T


def _orthonormalise(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Q of the QR decomposition whose R has a positive diagonal, of independent columns.

    By Cholesky decompositions; the second mends what rounding did to the first (Yamamoto et al. 2015). Other
    than by reflections, a few large products are all there is to do: on a busy machine, where the threads of
    the library wait for each other after each of a thousand small ones, that is several times as fast.
    """
    for _ in range(2):
        matrix = matrix @ np.linalg.inv(np.linalg.cholesky(matrix.T @ matrix)).T
    return matrix


def _compensation_matrix(side: int) -> NDArray[np.float64]:
    """Return what makes patterns of colour and frequency in photographs count alike.

    Without it, all maps follow the mean luminance: the textures' edges and colours are worse.

    Returns
    -------
    array
        (3 * side * side) squared; rows are a basis of luminance and two colours times cosines, weighted.
    """
    frequencies = np.arange(side)
    cosines = np.cos(np.pi * (frequencies + 0.5) * frequencies[:, None] / side)
    colours = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]])
    cosines, colours = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (cosines, colours))
    basis = np.kron(colours, np.kron(cosines, cosines))
    patterns = np.sqrt(CONSTANT + np.hypot(frequencies[:, None], frequencies)).ravel()
    gains = np.concatenate([patterns, COLOUR * patterns, COLOUR * patterns])
    weighted: NDArray[np.float64] = (gains / np.sqrt(np.square(gains).mean()))[:, None] * basis
    return weighted
