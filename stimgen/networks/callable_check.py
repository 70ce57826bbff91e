"""Checks that a user's function behaves as a network must, before anything is generated with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import uniform

Extract = Callable[[Tensor], dict[str, Tensor]]
Shapes = Mapping[str, tuple[int, int, int]]

# Maps of the same image may differ by this part of the largest number: sums in another order.
TOLERANCE = 1e-3


def check_callable(name: str, extract: Extract, shapes: Shapes, size: torch.Size, on: torch.device) -> None:
    """Refuse a function that cannot serve as a network.

    `shapes` are the expected channels, height and width of every layer. `size` is that of the test images:
    batch (3 or more) x channels x height x width.

    It raises `StimgenError` if the function raises an error, returns other layers, shapes or numbers than
    registered, has no finite gradient, returns other maps when it is called again, or mixes the images of a
    batch.
    """
    numbers = uniform(size.numel(), "check of a network").reshape(size).astype(np.float32)
    images = torch.from_numpy(numbers).to(on).requires_grad_(True)
    with torch.enable_grad():
        features = _call(name, extract, images)
        for layer, shape in shapes.items():
            _check_maps(_describe(layer, name), features[layer], (size[0], *shape), images)
    _check_repeatability(name, extract, images.detach(), features)


def _describe(layer: str, network: str) -> str:
    return f"the layer {layer!r} of the network {network!r}"


def _call(name: str, extract: Extract, images: Tensor) -> dict[str, Tensor]:
    try:
        return extract(images)
    except StimgenError:
        raise
    except Exception as error:  # whatever the user's function raises
        reason = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        shape = " x ".join(map(str, images.shape))
        raise StimgenError(f"the network {name!r} failed with images of {shape}: {reason}") from error


def _check_maps(what: str, maps: Tensor, shape: tuple[int, ...], images: Tensor) -> None:
    if not isinstance(maps, Tensor) or not maps.is_floating_point():
        raise StimgenError(f"{what} is not a tensor of floating-point numbers")
    if tuple(maps.shape) != shape:
        raise StimgenError(
            f"{what} has the shape {tuple(maps.shape)} for images of {tuple(images.shape)}, not {shape}: "
            "batch, channels and positions as they were registered"
        )
    if not maps.isfinite().all():
        raise StimgenError(f"{what} has numbers that are not finite")
    if not maps.requires_grad:
        raise StimgenError(f"{what} has no gradient to the image", hint="use differentiable operations only")
    (gradient,) = torch.autograd.grad(maps.square().sum(), images, retain_graph=True, allow_unused=True)
    if gradient is None or not gradient.isfinite().all():
        raise StimgenError(f"{what} has no finite gradient to the image")


def _check_repeatability(name: str, extract: Extract, images: Tensor, features: dict[str, Tensor]) -> None:
    """Check that maps are the same in a second call, and in a call with fewer images."""
    with torch.no_grad():
        again = _call(name, extract, images)
        fewer = _call(name, extract, images[[2, 0]])
    for layer, maps in features.items():
        what = _describe(layer, name)
        if not _are_close(again[layer], maps):
            hint = "switch off randomness, such as dropout: `.eval()`"
            raise StimgenError(f"{what} has other maps when it is called again", hint=hint)
        if not _are_close(fewer[layer], maps[[2, 0]]):
            hint = "normalise within images: `.eval()`"
            raise StimgenError(f"{what} lets images of a batch influence each other", hint=hint)


def _are_close(maps: Tensor, expected: Tensor) -> bool:
    same_shape = maps.shape == expected.shape
    return same_shape and bool((maps - expected).abs().max() <= TOLERANCE * expected.abs().max())
