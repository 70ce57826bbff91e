"""Reproduces the polar windows of Freeman & Simoncelli's code (freeman-lab/metamers) in detail.

The code reads a window from tables with steps of 0.001, in the logarithm of eccentricity to base 2 and in
radians. Between entries, the logarithm of the weight along the radius, and the weight itself along the angle,
lie on straight lines. Nearly everything follows equations 9 to 11 of the paper; but sectors are counted from
the left of the fixation, where the flat top of the first one ends, and nothing is inside of the first ring,
nor at the largest eccentricity of all, in the corners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.001
# Samples of a raised cosine; one more at either end repeats the value there.
SAMPLES = 256
# Eccentricity, in pixels, and angle that stand for zero.
ZERO = 0.001


@dataclass(frozen=True)
class PolarTables:
    """Holds the width of rings in octaves, the number of sectors, and the edges in parts of their widths."""

    ring_width: float
    sectors: int
    overlap: float
    first: float
    """Eccentricity in pixels a ring's width inside of the centre of the first ring."""

    def windows(self, right: Floats, down: Floats) -> Iterator[tuple[Floats, slice, slice]]:
        """Yield weights, rows and columns of every window, sector by sector, in each from the inside out.

        `right` and `down` are the distances of columns and rows from the fixation, in pixels.
        """
        radius = np.hypot(right, down[:, None])
        octaves = np.log2(np.where(radius == 0, ZERO, radius))
        angles = np.arctan2(down[:, None], right) + np.pi
        rings = list(self._weigh_rings(octaves))
        for number in range(self.sectors):
            sector = self._weigh_sector(number, np.where(angles == 0, ZERO, angles))
            for ring, rows, columns in rings:
                weights = ring * sector[rows, columns]
                if weights.any():
                    here = [np.flatnonzero(weights.any(axis)) for axis in (1, 0)]
                    inner = tuple(slice(int(found[0]), int(found[-1]) + 1) for found in here)
                    yield (
                        weights[inner],
                        slice(rows.start + inner[0].start, rows.start + inner[0].stop),
                        slice(columns.start + inner[1].start, columns.start + inner[1].stop),
                    )

    def _weigh_rings(self, octaves: Floats) -> Iterator[tuple[Floats, slice, slice]]:
        """Yield the weights of each ring within the rectangle that holds it."""
        width, largest = self.ring_width, float(octaves.max())
        table = np.arange(0, largest + ZERO * STEP, STEP)
        centres = np.log2(self.first) + width * np.arange(
            1, 2 + max(0.0, (largest - np.log2(self.first)) / width)
        )
        for centre in centres:
            along, weights = _table_of_edges(float(centre), width, self.overlap)
            falling = weights[len(weights) // 2 :]
            falling[falling == 0] = falling[falling > 0][-1]
            with np.errstate(divide="ignore"):
                logarithms = np.interp(table, along, np.log2(weights), left=np.nan, right=np.nan)
            found = np.interp(octaves, table, logarithms, left=np.nan, right=np.nan)
            ring = np.nan_to_num(2.0**found)
            rows, columns = np.flatnonzero(ring.any(1)), np.flatnonzero(ring.any(0))
            if len(rows):
                inside = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
                yield ring[inside], *inside

    def _weigh_sector(self, number: int, angles: Floats) -> Floats:
        """Return the weights of a sector; the table covers three turns, and its ends are moved inside."""
        turn, width = 2 * np.pi, 2 * np.pi / self.sectors
        along, weights = _table_of_edges((number - (1 - self.overlap) / 2) * width, width, self.overlap)
        table = -turn + STEP * np.arange(int(3 * turn / STEP) + 1)
        found = np.interp(table, along, weights, left=0.0, right=0.0)
        before, after = found[(table < 0) & (found != 0)], found[(table > turn) & (found != 0)]
        # As whole steps, so that these parts move by up to a step more or less than a turn.
        last = int(np.flatnonzero(table < turn)[-1]) + 1
        found[last - len(before) : last] = before
        first = int(np.flatnonzero(table > 0)[0])
        found[first : first + len(after)] = after
        inside = (table >= 0) & (table <= turn)
        sector: Floats = np.nan_to_num(
            np.interp(angles, table[inside], found[inside], left=np.nan, right=np.nan)
        )
        return sector


def _table_of_edges(centre: float, width: float, overlap: float) -> tuple[Floats, Floats]:
    """Return places and weights of a rising and a falling raised cosine about a flat top."""
    edge = max(overlap, 1e-9) * width
    angle = np.pi * np.arange(-SAMPLES - 1, 2) / (2 * SAMPLES)
    rise = np.cos(angle) ** 2
    rise[0], rise[-1] = rise[1], rise[-2]
    along = 2 * edge / np.pi * (angle + np.pi / 4)
    middle = width / 2
    places = np.concatenate([centre - middle + along, centre + middle + along])
    return places, np.concatenate([rise, 1 - rise])
