"""Generates random orthogonal weights, the embedded default, with the same bits everywhere."""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.networks.weights.base import StateDictSpec, Weights
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import normal

RECIPE = 2
# Unrounded QR bits change with the number of threads and the linear-algebra library.
GRID = 2.0**-12
# Photographs have amplitudes of about 1 / frequency and little colour. Filters that see the image itself
# weigh patterns by the square root of their frequency plus CONSTANT, and colour by COLOUR.
CONSTANT, COLOUR = 0.1, 2.0
RGB = 3


class RandomWeights(Weights):
    """Generates seeded random orthogonal filters without biases; nothing to download."""

    phrase = "random orthogonal weights"
    papers = ("he2016random", "saxe2014")

    name: Literal["random"] = "random"
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Another seed gives another network."""

    @property
    @override
    def trained(self) -> bool:
        return False

    @override
    def recipe(self, network: str) -> dict[str, Any]:
        return {"name": self.name, "network": network, "recipe": RECIPE, "seed": self.seed}

    def load_tensors(self, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the SHA-256 over their names, shapes and little-endian float32 bytes."""
        digest = hashlib.sha256()
        state: dict[str, Tensor] = {}
        for key, shape in spec.shapes.items():
            if key in spec.constants:
                values = spec.constants[key]
            elif len(shape) == 1:
                # Ones for what multiplies or divides in a batch normalisation, zeros for biases and means.
                values = np.full(shape, key.endswith((".weight", ".running_var")), dtype="<f4")
            else:
                stream = ("random weights", RECIPE, spec.network, self.seed, key)
                values = generate_filters(shape, *stream, groups=spec.groups.get(key, 1))
            digest.update(f"{key}{shape}".encode() + values.tobytes())
            state[key] = torch.from_numpy(values)
        return state, digest.hexdigest()


def generate_filters(shape: tuple[int, ...], *key: str | int, groups: int = 1) -> NDArray[np.float32]:
    """Return a layer's filters: orthogonal, scaled for rectification (He et al. 2015), and rounded.

    `shape` is filters x inputs x height x width, or filters x inputs; three inputs of one group are the
    image's colours. `key` names the stream of random numbers. Filters are orthogonal within each of `groups`,
    because every group sees other inputs.
    """
    if groups > 1:
        matrix = generate_orthogonal_groups(shape, groups, *key) * math.sqrt(2.0)
    else:
        matrix = generate_orthogonal_filters(shape, *key) * math.sqrt(2.0)
    if groups == 1 and len(shape) == 4 and shape[1] == RGB and shape[2] == shape[3]:
        matrix = matrix @ _compensation_matrix(shape[2])
    return np.ascontiguousarray((np.round(matrix / GRID) * GRID).reshape(shape), dtype="<f4")


def generate_orthogonal_filters(shape: tuple[int, ...], *key: str | int) -> NDArray[np.float64]:
    """Return filters x (inputs * height * width) with orthonormal rows (or columns, if there are more rows).

    This is the Q of a QR decomposition of normal numbers (Saxe, McClelland & Ganguli 2014), unique because
    the diagonal of R is positive. See `generate_filters` for the parameters.
    """
    rows, inputs = shape[0], math.prod(shape[1:])
    tall = (max(rows, inputs), min(rows, inputs))
    q = _orthonormalise(normal(math.prod(tall), *key).reshape(tall))
    return q if rows >= inputs else q.T


def generate_orthogonal_groups(shape: tuple[int, ...], groups: int, *key: str | int) -> NDArray[np.float64]:
    """Return filters x (inputs * height * width), in `groups` each of which is orthogonal by itself."""
    rows, inputs = shape[0] // groups, math.prod(shape[1:])
    tall = (max(rows, inputs), min(rows, inputs))
    q = _orthonormalise(normal(groups * math.prod(tall), *key).reshape(groups, *tall))
    return (q if rows >= inputs else q.swapaxes(1, 2)).reshape(shape[0], inputs)


def _orthonormalise(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Q of the QR decomposition whose R has a positive diagonal, of independent columns.

    Leading dimensions are a stack of matrices.
    It uses two Cholesky decompositions; the second corrects the rounding errors of the first (Yamamoto et al.
    2015). Unlike reflections, this needs only a few large products. On a busy machine, where the library's
    threads wait for each other after each of a thousand small products, it is several times as fast.
    """
    for _ in range(2):
        turned = matrix.swapaxes(-1, -2)
        matrix = matrix @ np.linalg.inv(np.linalg.cholesky(turned @ matrix)).swapaxes(-1, -2)
    return matrix


def _compensation_matrix(side: int) -> NDArray[np.float64]:
    """Return a matrix that equalises patterns of colour and frequency in photographs.

    Without it, all maps follow the mean luminance, and the textures' edges and colours are worse. The
    matrix is (3 * side * side) squared. Its rows are a weighted basis: luminance and two colours, times
    cosines.
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
