"""Arranges maps of a steerable pyramid, so that statistics of Portilla & Simoncelli are sums of products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

# Added to squared magnitudes, so that those of a flat picture have a gradient.
TINY = 1e-16
# The columns that are multiplied with themselves, shifted, one after the other.
SHIFTED_PARTS = ("highpass", "lowpass", "magnitudes")


@dataclass(frozen=True)
class ScaleColumns:
    """Holds the maps of one scale, positions x columns, and which columns hold what."""

    maps: Tensor
    shape: tuple[int, int]
    """Rows and columns of the grid."""
    parts: Mapping[str, slice]
    """Columns of ``pixels``, ``highpass``, ``lowpass``, ``magnitudes``, ``reals``, ``parent_magnitudes``,
    ``parents``, ``residual`` and ``highpass_magnitude``, as far as there are any."""

    @property
    def shifted(self) -> slice:
        """Return the columns that are multiplied with themselves, shifted."""
        named = [self.parts[name] for name in SHIFTED_PARTS if name in self.parts]
        return slice(named[0].start, named[-1].stop)


def count_scales(layers: Mapping[str, object]) -> int:
    """Return the number of scales that have layers of these names."""
    return sum(name.startswith("scale") for name in layers)


def arrange_columns(features: Mapping[str, Tensor], scale: int, components: Tensor) -> ScaleColumns:
    """Return the columns of a scale, from 1; the last one is the low-pass image alone.

    `features` are those of one image, colours x maps x rows x columns; `components` are the weights of
    colours in what is measured: components x colours.
    """
    scales = count_scales(features)
    found: dict[str, Tensor] = {}
    if scale == 1:
        found = {name: _mix(features[name], components) for name in ("pixels", "highpass")}
    found["lowpass"] = _mix(features[f"lowpass{scale}"], components)
    if scale > scales:
        found["residual"] = (_mix(features["residual"], components).square() + TINY).sqrt()
    else:
        found |= _arrange_bands(features, scale, components)
        if scale == scales:
            found["parents"] = _list_neighbours(_mix(features[f"parents{scale}"], components))
    if scale == 1:
        found["highpass_magnitude"] = (found["highpass"].square() + TINY).sqrt()
    maps = torch.cat(list(found.values()))
    parts, start = {}, 0
    for name, part in found.items():
        parts[name] = slice(start, start + len(part))
        start += len(part)
    return ScaleColumns(maps.flatten(1).T.contiguous(), (maps.shape[1], maps.shape[2]), parts)


def _arrange_bands(features: Mapping[str, Tensor], scale: int, components: Tensor) -> dict[str, Tensor]:
    reals, imaginary = _mix(features[f"scale{scale}"], components, parts=2)
    found = {"magnitudes": (reals.square() + imaginary.square() + TINY).sqrt(), "reals": reals}
    if scale < count_scales(features):
        real, other = _mix(features[f"parents{scale}"], components, parts=2)
        squares = real.square(), other.square()
        found["parent_magnitudes"] = (squares[0] + squares[1] + TINY).sqrt()
        # Phases are doubled: (x + iy)^2 / |x + iy|. The sign of the real part is that of the published code,
        # which takes the angle from the imaginary axis.
        doubled = torch.stack([squares[1] - squares[0], 2.0 * real * other]) / found["parent_magnitudes"]
        found["parents"] = doubled.flatten(0, 1)
    return found


def _mix(maps: Tensor, components: Tensor, parts: int = 1) -> Tensor:
    """Return components of colours: (components x maps) x rows x columns, behind real and imaginary parts."""
    if components.shape == (1, 1):
        mixed = maps
    else:
        each = [sum(w * colour for w, colour in zip(row, maps.unbind(0), strict=True)) for row in components]
        mixed = torch.stack([torch.as_tensor(one) for one in each])
    if parts == 1:
        return mixed.flatten(0, 1)
    parted = mixed.reshape(len(mixed), parts, -1, *mixed.shape[2:])
    return parted.transpose(0, 1).flatten(1, 2)


def _list_neighbours(maps: Tensor) -> Tensor:
    """Return maps (count x rows x columns), each with the four that are shifted by a position."""
    shifts = [(1, 2), (-1, 2), (1, 1), (-1, 1)]
    listed = [maps, *(torch.roll(maps, step, dimension) for step, dimension in shifts)]
    return torch.stack(listed, dim=1).flatten(0, 1)
