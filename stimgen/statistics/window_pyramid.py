"""Places pooling windows on the grids of a pyramid (Freeman & Simoncelli 2011, as their code does it).

The windows of the finest grid are blurred and thinned out for each coarser one. Positions of a window are
kept as a list; lists of similar length are computed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.computation.precision import precise_dtype
from stimgen.statistics.regions import Pooling, PoolingWindow

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]

# Filter of the Gaussian pyramid of windows.
BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
# Lists of positions are filled up to a power of this.
GROWTH = 1.5


@dataclass(frozen=True)
class BoxedWindow:
    """Holds the weights of a window inside a box of positions."""

    top: int
    left: int
    weights: Floats
    """Rows x columns of the box."""

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Return first and last row and first and last column of positive weights, counted from the box."""
        rows, columns = np.flatnonzero(self.weights.any(1)), np.flatnonzero(self.weights.any(0))
        return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


@dataclass(frozen=True)
class WindowGroup:
    """Holds windows with similar numbers of positions: windows x places, and places without a weight."""

    windows: tuple[int, ...]
    """Places of the windows in the layout."""
    roots: Tensor
    """Square root of each place's weight over the sum of the window's weights: windows x places x 1."""
    partners: Tensor
    """For every shift and its opposite, the place that is so far from each place, in all lists of the group
    one after the other; a place without weight where there is none: 2 x shifts x all places."""
    counted: Tensor
    """One where a shift lies inside of the window's neighbourhood, else zero: windows x (1 + shifts)."""
    shares: Tensor
    """How much a window counts."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of windows and of places in each list."""
        return self.roots.shape[0], self.roots.shape[1]


@dataclass(frozen=True)
class GridWindows:
    """Holds all windows on one grid of positions."""

    positions: Tensor
    """For all places of all groups one after the other, the position in the grid."""
    places: Tensor
    """For each position of the grid the places in which it occurs, and else the last place, which has no
    weight: positions x most occurrences."""
    groups: tuple[WindowGroup, ...]
    scale: int
    """Number of the grid, from 1 for the finest."""

    @property
    def order(self) -> tuple[int, ...]:
        """Return the windows' places in the layout in the order of the groups."""
        return tuple(window for group in self.groups for window in group.windows)


def list_shifts(neighbourhood: int) -> list[tuple[int, int]]:
    """Return the shifts, down and right, of an autocorrelation; of two opposite ones the later.

    Examples
    --------
    >>> list_shifts(3)
    [(0, 1), (1, -1), (1, 0), (1, 1)]
    """
    reach = range(-(neighbourhood // 2), neighbourhood // 2 + 1)
    return [(down, right) for down in reach for right in reach if (down, right) > (0, 0)]


@lru_cache(maxsize=8)
def place_windows(
    pooling: Pooling, grids: tuple[tuple[int, int], ...], neighbourhood: int, device: torch.device
) -> tuple[GridWindows, ...]:
    """Return the windows on each of `grids`, rows and columns, from the finest to the coarsest."""
    return build_grid_windows(pooling.windows(*grids[0]), grids, neighbourhood, device)


def build_grid_windows(
    windows: Sequence[PoolingWindow],
    grids: Sequence[tuple[int, int]],
    neighbourhood: int,
    device: torch.device,
) -> tuple[GridWindows, ...]:
    """Return windows of the finest grid on all of them; each has half the rows and columns of the last."""
    boxed = [
        BoxedWindow(w.rows.start, w.columns.start, np.ones(w.shape) if w.weights is None else w.weights)
        for w in windows
    ]
    shares = np.array([window.share for window in windows])
    found = []
    for i, grid in enumerate(grids):
        if i > 0:
            boxed = [_thin_out(window, grids[i - 1]) for window in boxed]
        found.append(_make_grid_windows(boxed, grid, (i + 1, neighbourhood), shares, device))
    return tuple(found)


def _thin_out(window: BoxedWindow, grid: tuple[int, int]) -> BoxedWindow:
    """Return the window on every second position of the grid, blurred; beyond borders it is mirrored."""
    starts, weights = [], window.weights
    for side, start in zip(grid, (window.top, window.left), strict=True):
        # Along the first dimension, which then becomes the second.
        first = max(0, start - 2) // 2 * 2
        last = min(side - 1, start + weights.shape[0] + 1)
        lines = np.zeros((last - first + 5, weights.shape[1]))
        outside = np.abs(np.arange(first - 2, last + 3))
        outside = np.where(outside > side - 1, 2 * (side - 1) - outside, outside) - start
        inside = (outside >= 0) & (outside < weights.shape[0])
        lines[inside] = weights[outside[inside]]
        blurred = sum(part * lines[k : k + last - first + 1] for k, part in enumerate(BINOMIAL))
        weights = np.asarray(blurred)[::2].T
        starts.append(first // 2)
    return BoxedWindow(starts[0], starts[1], weights)


def _make_grid_windows(
    boxed: Sequence[BoxedWindow],
    grid: tuple[int, int],
    numbers: tuple[int, int],
    shares: Floats,
    device: torch.device,
) -> GridWindows:
    """Return the windows on one grid; the numbers are its scale and the side of the neighbourhood."""
    scale, neighbourhood = numbers
    counts = np.array([np.count_nonzero(window.weights) for window in boxed])
    # One place at least has no weight, so that a shift can lead to nothing.
    lengths = np.ceil(GROWTH ** np.ceil(np.log(counts + 1) / np.log(GROWTH))).astype(int)
    dtype = precise_dtype(device)
    groups, positions, weighted = [], [], []
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        listed = [_list_places(boxed[i], grid, int(length), neighbourhood) for i in members]
        positions.append(np.concatenate([places for places, *_ in listed]))
        weighted.append(np.concatenate([weights for _, weights, *_ in listed]) > 0)
        offsets = (np.arange(len(members)) * length)[:, None, None, None]
        partners = np.stack([partner for *_, partner, _ in listed]) + offsets
        roots = np.sqrt(np.stack([weights for _, weights, *_ in listed]))
        groups.append(
            WindowGroup(
                tuple(members.tolist()),
                torch.from_numpy(roots).unsqueeze(2).to(device, dtype),
                torch.from_numpy(partners.transpose(1, 2, 0, 3).reshape(2, partners.shape[2], -1)).to(device),
                torch.from_numpy(np.stack([counted for *_, counted in listed])).to(device, dtype),
                torch.from_numpy(shares[members]).to(device, dtype),
            )
        )
    every = np.concatenate(positions)
    places = _invert(every, np.concatenate(weighted), grid[0] * grid[1])
    return GridWindows(
        torch.from_numpy(every).to(device), torch.from_numpy(places).to(device), tuple(groups), scale
    )


def _list_places(
    window: BoxedWindow, grid: tuple[int, int], length: int, neighbourhood: int
) -> tuple[Integers, Floats, Integers, Floats]:
    """Return positions and weights of a window, filled up, partners by shift, and which shifts count."""
    top, bottom, left, right = window.bounds
    rows, columns = np.nonzero(window.weights)
    weights = np.zeros(length)
    weights[: len(rows)] = window.weights[rows, columns]
    positions = np.full(length, (window.top + top) * grid[1] + window.left + left, dtype=np.int32)
    positions[: len(rows)] = (window.top + rows) * grid[1] + window.left + columns
    # In the published code, a shift that leaves a square box about the window enters it at the other side.
    extent = max(bottom - top, right - left) + 1
    box = max(2, 2 ** int(np.ceil(np.log2(extent))))
    height, width = min(box, grid[0]), min(box, grid[1])
    lookup = np.full((height, width), length - 1, dtype=np.int32)
    rows, columns = rows - top, columns - left
    lookup[rows, columns] = np.arange(len(rows))
    shifts = np.array(list_shifts(neighbourhood))
    partners = np.full((2, len(shifts), length), length - 1, dtype=np.int32)
    for sign, partner in zip((1, -1), partners, strict=True):
        down, across = (sign * shifts[:, [k]] for k in (0, 1))
        partner[:, : len(rows)] = lookup[(rows + down) % height, (columns + across) % width]
    # The neighbourhood is the largest odd number up to the extent.
    reach = min(neighbourhood, max(1, extent - 1 + extent % 2)) // 2
    counted = np.concatenate([[1.0], (np.abs(shifts).max(1) <= reach).astype(np.float64)])
    return positions, weights / weights.sum(), partners, counted


def _invert(positions: Integers, weighted: NDArray[np.bool_], count: int) -> Integers:
    """Return the places of every position, filled up with a place without weight."""
    listed = np.flatnonzero(weighted)
    order = listed[np.argsort(positions[listed], kind="stable")]
    occurrences = np.bincount(positions[order], minlength=count)
    starts = np.concatenate([[0], np.cumsum(occurrences)[:-1]])
    empty = int(np.flatnonzero(~weighted)[-1])
    places = np.full((count, int(occurrences.max())), empty, dtype=np.int32)
    column = np.arange(len(order)) - starts[positions[order]]
    places[positions[order], column] = order
    return places
