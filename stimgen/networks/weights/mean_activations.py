"""Mean activations of a network's filters: the file that holds them, and the weights that make them one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field, ValidationError
from torch import Tensor

from stimgen.networks.weights.base import StateDictSpec
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import MEGABYTE, read_limited
from stimgen.reading.identity import canonical_json, sha256_bytes
from stimgen.reading.model import Model

FORMAT = 1
LARGEST_FILE = 16 * MEGABYTE


class MeasuredImage(Model):
    """A picture that was measured."""

    file: str
    sha256: str
    width: int
    height: int


class MeanActivations(Model):
    """Mean activations of a network's convolutions after their rectification, over images and positions."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = FORMAT
    network: str
    """Name of the network."""
    settings: dict[str, Any]
    """Recipe of the network that was measured, without its weights."""
    weights: dict[str, Any]
    """Recipe of the weights that were measured."""
    weights_sha256: str
    """Hash of those weights, down to the deepest layer measured."""
    images: tuple[MeasuredImage, ...]
    """What was measured in, each at its own size."""
    means: dict[str, tuple[float, ...]]
    """Layer to one number a filter, shallow to deep."""

    def check(self, blueprint: StateDictSpec, weights: dict[str, Any]) -> None:
        """Refuse a network or weights that the means are not of.

        Raises
        ------
        StimgenError
            With what the means are of.
        """
        if not blueprint.chain:
            raise StimgenError(
                f"{blueprint.network} cannot be normalised: only networks that are chains of convolutions, "
                "rectifications and poolings can"
            )
        if self.network != blueprint.network or self.weights != weights:
            measured = canonical_json(self.weights).decode()
            raise StimgenError(
                f"the mean activations are those of {self.network} with the weights {measured}, and not of "
                f"{blueprint.network} with {canonical_json(weights).decode()}",
                hint="measure them with `stimgen weights normalize`",
            )
        missing = [layer for layer in blueprint.chain if layer not in self.means]
        if missing:
            raise StimgenError(
                f"the mean activations stop before {missing[0]}, which is needed: measure deeper",
                given=missing[0],
                allowed=list(self.means),
            )


def read_mean_activations(file: Path, sha256: str) -> MeanActivations:
    """Return the content of a file of means.

    Raises
    ------
    StimgenError
        It is missing, has another hash, or is none.
    """
    data = read_limited(file, LARGEST_FILE, "file of mean activations")
    found = sha256_bytes(data)
    if found != sha256:
        raise StimgenError(
            f"the mean activations' SHA-256 is {found}, not the {sha256} that was asked for", where=file
        )
    try:
        means = MeanActivations.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError):
        raise StimgenError(
            "not a file of mean activations, as `stimgen weights normalize` writes it", where=file
        ) from None
    for layer, values in means.means.items():
        check_no_silent_filter(layer, values)
    return means


def check_no_silent_filter(layer: str, means: tuple[float, ...]) -> None:
    """Refuse a filter that was never active: nothing makes its mean one.

    Raises
    ------
    StimgenError
        With layer and filter.
    """
    silent = [i for i, mean in enumerate(means) if not mean > 0.0]
    if silent:
        more = f" ({len(silent)} of the layer's {len(means)} are so)" if len(silent) > 1 else ""
        raise StimgenError(
            f"filter {silent[0]} of {layer} is silent in all images: its mean activation is zero{more}",
            hint="measure in more or larger images, or only down to a shallower layer",
        )


def rescale_weights(
    tensors: dict[str, Tensor], blueprint: StateDictSpec, means: MeanActivations
) -> dict[str, Tensor]:
    """Return weights with which every layer's features are the old ones divided by the means.

    Rectification and pooling, by averages or maxima, pass positive factors on: each layer's filters are
    multiplied by the means of its inputs and divided by its own, in float64.
    """
    found = dict(tensors)
    before = torch.ones(1, dtype=torch.float64)
    for layer, key in blueprint.chain.items():
        after = torch.tensor(means.means[layer], dtype=torch.float64)
        if len(after) != len(tensors[f"{key}.weight"]):
            filters = len(tensors[f"{key}.weight"])
            raise StimgenError(f"{len(after)} mean activations for the {filters} filters of {layer}")
        weight, bias = tensors[f"{key}.weight"].double(), tensors[f"{key}.bias"].double()
        found[f"{key}.weight"] = (weight * before.view(1, -1, 1, 1) / after.view(-1, 1, 1, 1)).float()
        found[f"{key}.bias"] = (bias / after).float()
        before = after
    return found
