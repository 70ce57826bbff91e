"""Reads a file of mean filter activations, and rescales weights so that these means become one."""

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
Tensors = dict[str, Tensor]


class MeasuredImage(Model):
    """Describes an image in which activations were measured."""

    file: str
    sha256: str
    width: int
    height: int


class MeanActivations(Model):
    """Holds a network's mean activations after the rectifications, over images and positions."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = FORMAT
    network: str
    """Name of the network."""
    settings: dict[str, Any]
    """Recipe of the measured network, without its weights."""
    weights: dict[str, Any]
    """Recipe of the measured weights."""
    weights_sha256: str
    """Hash of those weights, down to the deepest measured layer."""
    images: tuple[MeasuredImage, ...]
    """The measured images, each at its own size."""
    means: dict[str, tuple[float, ...]]
    """Layer to one number for each filter, shallow to deep."""

    def check_measured_in(self, spec: StateDictSpec, weights: dict[str, Any]) -> None:
        """Refuse another network or other weights than those that were measured."""
        if not spec.chain:
            raise StimgenError(
                f"{spec.network} cannot be normalised: this works only for networks that are chains of "
                "convolutions, rectifications and poolings"
            )
        if self.network != spec.network or self.weights != weights:
            measured = canonical_json(self.weights).decode()
            raise StimgenError(
                f"the mean activations are those of {self.network} with the weights {measured}, and not of "
                f"{spec.network} with {canonical_json(weights).decode()}",
                hint="measure them with `stimgen weights normalize`",
            )
        missing = [layer for layer in spec.chain if layer not in self.means]
        if missing:
            first = missing[0]
            message = f"the mean activations stop before {first}, which is needed: measure deeper layers too"
            raise StimgenError(message, given=first, allowed=list(self.means))


def read_mean_activations(file: Path, sha256: str) -> MeanActivations:
    """Return the content of a file of mean activations.

    It raises `StimgenError` if the file is missing, has another hash, or has another format.
    """
    data = read_limited(file, LARGEST_FILE, "file of mean activations")
    found = sha256_bytes(data)
    if found != sha256:
        message = f"the mean activations have the SHA-256 {found}, not {sha256} as expected"
        raise StimgenError(message, where=file)
    try:
        means = MeanActivations.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError):
        message = "this is not a file of mean activations that `stimgen weights normalize` wrote"
        raise StimgenError(message, where=file) from None
    for layer, values in means.means.items():
        check_no_silent_filter(layer, values)
    return means


def check_no_silent_filter(layer: str, means: tuple[float, ...]) -> None:
    """Refuse a filter that was never active, because no factor makes its mean one."""
    silent = [i for i, mean in enumerate(means) if not mean > 0.0]
    if silent:
        more = f" ({len(silent)} of the layer's {len(means)} are silent)" if len(silent) > 1 else ""
        message = f"filter {silent[0]} of {layer} is silent in all images: its mean activation is zero{more}"
        hint = "measure in more or larger images, or only down to a shallower layer"
        raise StimgenError(message, hint=hint)


def rescale_weights(tensors: Tensors, spec: StateDictSpec, means: MeanActivations) -> Tensors:
    """Return weights with which every layer's features are the old ones divided by the means.

    Rectification and pooling (average or maximum) preserve positive factors. So the filters of each layer are
    multiplied by the means of their inputs and divided by their own, in float64.
    """
    rescaled = dict(tensors)
    before = torch.ones(1, dtype=torch.float64)
    for layer, key in spec.chain.items():
        after = torch.tensor(means.means[layer], dtype=torch.float64)
        weight, bias = tensors[f"{key}.weight"].double(), tensors[f"{key}.bias"].double()
        if len(after) != len(weight):
            raise StimgenError(f"{len(after)} mean activations for the {len(weight)} filters of {layer}")
        rescaled[f"{key}.weight"] = (weight * before.view(1, -1, 1, 1) / after.view(-1, 1, 1, 1)).float()
        rescaled[f"{key}.bias"] = (bias / after).float()
        before = after
    return rescaled
