"""Finds pictures that look alike, by a perceptual hash and by comparing small versions of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

HASH_SIDE, KEPT = 32, 8
MOST_BITS = 8  # of 64 that may differ
LEAST_CORRELATION = 0.95


def compute_hash(grey: NDArray[np.uint8]) -> int:
    """Return 64 bits of a grey picture, 32 x 32: signs of its lowest frequencies.

    A bit is set where a coefficient of the discrete cosine transform (type 2), one of the 8 x 8 lowest, is
    above their median (Zauner 2010, *Implementation and benchmarking of perceptual image hash functions*).
    """
    from scipy.fft import dctn

    low = dctn(grey.astype(np.float64), type=2, norm="ortho")[:KEPT, :KEPT]
    # Rounded, because the last bits of sums differ between processors.
    rounded = np.rint(low.ravel() * 2**10)
    bits = rounded > np.median(rounded[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def group_alike(hashes: Sequence[int], greys: Sequence[bytes]) -> list[list[int]]:
    """Return groups of pictures that look alike, by their index.

    The hash of each differs from that of another of its group in 8 bits at most, and their small versions,
    32 x 32, correlate by .95 or more.
    """
    first = list(range(len(hashes)))
    for i, j in _list_pairs(hashes, greys):
        one, other = _find_first(first, i), _find_first(first, j)
        first[max(one, other)] = min(one, other)
    groups: dict[int, list[int]] = {}
    for i in range(len(hashes)):
        groups.setdefault(_find_first(first, i), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _find_first(first: Sequence[int], i: int) -> int:
    while first[i] != i:
        i = first[i]
    return i


def _list_pairs(hashes: Sequence[int], greys: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    if not hashes:
        return
    codes = np.array(hashes, dtype=np.uint64)
    small = np.stack([np.frombuffer(grey, np.uint8) for grey in greys]).astype(np.float32)
    for i in range(len(codes)):
        differing = codes[i + 1 :] ^ codes[i]
        counts = np.unpackbits(differing.view(np.uint8).reshape(-1, 8), axis=1).sum(1)
        for j in (np.flatnonzero(counts <= MOST_BITS) + i + 1).tolist():
            if _correlate(small[i], small[j]) >= LEAST_CORRELATION:
                yield i, j


def _correlate(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else float(np.array_equal(one, other))
