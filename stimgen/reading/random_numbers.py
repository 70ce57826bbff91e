"""Generates random numbers that have the same bits everywhere, from raw Philox words.

numpy guarantees the words of its bit generators, but not what its distributions make of them, and the
generators of frameworks depend on shape and device. Therefore only the words are used.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stimgen.reading.identity import canonical_json

# Normal numbers are rounded to this grid, because logarithm and cosine may differ in their last bits between
# mathematical libraries.
NORMAL_GRID = 2.0**-16

T = TypeVar("T")


class _Engine(threading.local):
    """Holds a bit generator of each thread, whose key is set anew: to make one takes five times as long."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(key=0, counter=0)
        self.start = self.philox.state

    def draw(self, key: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
        """Return the first words of a key."""
        self.start["state"]["key"] = key
        self.philox.state = self.start
        return self.philox.random_raw(count)


_ENGINE = _Engine()


def random_words(count: int, *key: str | int) -> NDArray[np.uint64]:
    """Return `count` random 64-bit words of the stream that `key` names.

    Philox 4x64-10 (Salmon, Moraes, Dror & Shaw 2011) counts from zero; its 128-bit key is the beginning of
    the SHA-256 of the canonical JSON of `key`, for example a purpose, a source's hash and a seed. A longer
    request begins with the words of a shorter one.
    """
    digest = hashlib.sha256(canonical_json(list(key))).digest()
    pair = np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
    return _ENGINE.draw(pair, count)


def uniform(count: int, *key: str | int) -> NDArray[np.float64]:
    """Return `count` uniform numbers in [0, 1), each a multiple of 2^-53."""
    return (random_words(count, *key) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(count: int, *key: str | int) -> NDArray[np.float64]:
    """Return `count` standard normal numbers, each a multiple of 2^-16 (Box & Muller 1958).

    Words are used in pairs and both numbers of a pair are kept, so that a longer request begins with the
    numbers of a shorter one.
    """
    if count == 1:
        return np.array([_draw_normal(*key)])
    even = uniform(count + count % 2, *key).reshape(-1, 2)
    # 1 - u is in (0, 1], where the logarithm is finite.
    radius = np.sqrt(-2.0 * np.log(1.0 - even[:, 0]))
    angle = 2.0 * np.pi * even[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return np.round(pairs.reshape(-1)[:count] / NORMAL_GRID) * NORMAL_GRID


def _draw_normal(*key: str | int) -> float:
    """Return the first number of `normal`, bit by bit, in a third of the time."""
    first, second = uniform(2, *key)
    radius = math.sqrt(-2.0 * float(np.log(1.0 - first)))
    angle = 2.0 * math.pi * float(second)
    return round(radius * float(np.cos(angle)) / NORMAL_GRID) * NORMAL_GRID


class RandomStream:
    """Draws random numbers one by one, each with a key of its own; meant for a small number of decisions."""

    def __init__(self, *key: str | int) -> None:
        self.key = key
        self._drawn = 0

    def uniform(self) -> float:
        """Return a uniform number in [0, 1)."""
        return float(uniform(1, *self._next_key())[0])

    def uniforms(self, count: int) -> list[float]:
        """Return several uniform numbers in [0, 1)."""
        return [float(number) for number in uniform(count, *self._next_key())]

    def normal(self) -> float:
        """Return a standard normal number."""
        return _draw_normal(*self._next_key())

    def randbelow(self, count: int) -> int:
        """Return a whole number from 0 to `count` - 1, all with equal probability."""
        return math.floor(self.uniform() * count)

    def choice(self, values: Sequence[T]) -> T:
        """Return one of the values, all with equal probability."""
        return values[self.randbelow(len(values))]

    def permutation(self, values: Sequence[T]) -> list[T]:
        """Return the values in a random order, all orders with equal probability."""
        order = np.argsort(random_words(len(values), *self._next_key()), kind="stable")
        return [values[i] for i in order]

    def _next_key(self) -> tuple[str | int, ...]:
        self._drawn += 1
        return (*self.key, self._drawn)
