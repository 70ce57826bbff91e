"""Measures the mean activations of a network's filters over a list of images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stimgen.images.read import SKIMAGE_PREFIX, ImageFile, find_skimage_file, read_image_file
from stimgen.images.write import as_pixels
from stimgen.networks import NETWORKS, DeviceSpec, FeatureExtractor
from stimgen.networks.torchvision_network import TorchvisionNetwork
from stimgen.networks.weights.choose import parse_weights
from stimgen.networks.weights.mean_activations import MeanActivations, MeasuredImage, check_no_silent_filter
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import write_file
from stimgen.reading.identity import sha256_bytes


@dataclass(frozen=True)
class NormalizationSettings:
    """Says what is measured.

    Attributes
    ----------
    network : str
        The name of a network that is a chain of convolutions, rectifications and poolings.
    weights : str
        ``imagenet``, ``random`` or a file.
    pooling : str
        ``average`` or ``maximum``.
    until : str or None
        The deepest layer that is needed; None stands for all layers.
    """

    network: str = "vgg19"
    weights: str = "imagenet"
    pooling: str = "average"
    until: str | None = None


def normalize_weights(measurement: NormalizationSettings, images: Sequence[str], output: Path) -> str:
    """Write the mean activations of a network's filters over images and positions; return the file's hash.

    Images are files or ``skimage:NAME``; each counts with all its positions, at its own size.

    Raises
    ------
    StimgenError
        A network, weights or images cannot be used; a filter is silent in all images; the file cannot be
        written.
    """
    network = _build_network(measurement)
    layers = _find_layers(network, measurement.until)
    extractor = network.load(tuple(layers.values()), DeviceSpec(torch.device("cpu")))
    measured, means = _measure_means(extractor, layers, images)
    recipe = network.recipe()
    found = MeanActivations(
        network=network.name,
        settings={key: value for key, value in recipe.items() if key not in ("name", "weights")},
        weights=recipe["weights"],
        weights_sha256=extractor.weights_sha256 or "",
        images=measured,
        means=means,
    )
    data = (json.dumps(found.to_dict(), indent=1) + "\n").encode("ascii")
    write_file(output, data)
    return sha256_bytes(data)


def find_normalizable_networks() -> dict[str, type[TorchvisionNetwork]]:
    """Return the networks that can be normalised, by name."""
    found = {name: cls for name, cls in NETWORKS.members.items() if issubclass(cls, TorchvisionNetwork)}
    return {name: cls for name, cls in found.items() if cls.model_validate({}).is_chain}


def _build_network(measurement: NormalizationSettings) -> TorchvisionNetwork:
    allowed = find_normalizable_networks()
    if measurement.network not in allowed:
        raise StimgenError(
            f"{measurement.network!r} cannot be normalised: it is no chain of convolutions, rectifications "
            "and poolings",
            given=measurement.network,
            allowed=allowed,
        )
    if measurement.pooling not in ("average", "maximum"):
        raise StimgenError(
            f"unknown pooling {measurement.pooling!r}",
            given=measurement.pooling,
            allowed=["average", "maximum"],
        )
    settings = {"pooling": measurement.pooling, "weights": parse_weights(measurement.weights)}
    return allowed[measurement.network].model_validate(settings)


def _find_layers(network: TorchvisionNetwork, until: str | None) -> dict[str, str]:
    """Return the convolutions down to `until`, each with its rectification."""
    if until is not None and until not in network.layers():
        raise StimgenError(
            f"{network.name} has no layer {until!r}", given=until, allowed=list(network.layers())
        )
    steps = network.steps_up_to([until] if until else network.layers())
    names = [step.name for step in steps if step.name.startswith("conv")]
    return {name: name.replace("conv", "relu", 1) for name in names}


def _measure_means(
    extractor: FeatureExtractor, layers: dict[str, str], images: Sequence[str]
) -> tuple[tuple[MeasuredImage, ...], dict[str, tuple[float, ...]]]:
    """Return what was measured, and every layer's means over all positions of all images."""
    measured: list[MeasuredImage] = []
    sums: dict[str, Tensor | float] = dict.fromkeys(layers, 0.0)
    positions = dict.fromkeys(layers, 0)
    for name in images:
        image = _read_image(name)
        found = extractor(_image_batch(image))
        for layer, rectified in layers.items():
            maps = found[rectified][0].double()
            sums[layer] = sums[layer] + maps.sum((1, 2))
            positions[layer] += maps[0].numel()
        width, height = image.size
        measured.append(MeasuredImage(file=image.file.name, sha256=image.sha256, width=width, height=height))
    means = {layer: tuple((sums[layer] / torch.tensor(positions[layer])).tolist()) for layer in layers}
    for layer, values in means.items():
        check_no_silent_filter(layer, values)
    return tuple(measured), means


def _read_image(name: str) -> ImageFile:
    inside = name.startswith(SKIMAGE_PREFIX)
    return read_image_file(find_skimage_file(name.removeprefix(SKIMAGE_PREFIX)) if inside else Path(name))


def _image_batch(image: ImageFile) -> Tensor:
    """Return a picture twice, because a single image is summed in another order than two."""
    pixels = as_pixels(image.decode()).transpose(2, 0, 1)
    return torch.from_numpy(pixels).unsqueeze(0).repeat(2, 1, 1, 1)
