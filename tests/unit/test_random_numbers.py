"""Random numbers: Philox against an implementation of its own, golden words, distributions."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stimgen.reading.random_numbers import NORMAL_GRID, normal, random_words, uniform

MASK = 2**64 - 1


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox 4x64-10 as Salmon, Moraes, Dror & Shaw (2011) describe it, in plain whole numbers."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (right >> 64) ^ b ^ k, right & MASK, (left >> 64) ^ d ^ m, left & MASK
        k, m = (k + 0x9E3779B97F4A7C15) & MASK, (m + 0xBB67AE8584CAA73B) & MASK
    return a, b, c, d


def expected_words(count: int, *key: str | int) -> list[int]:
    text = json.dumps(list(key), separators=(",", ":"), ensure_ascii=False).encode()
    digest = hashlib.sha256(text).digest()
    pair = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")
    # numpy adds one to the counter before it makes a block.
    blocks = [philox((block, 0, 0, 0), pair) for block in range(1, count // 4 + 2)]
    return [word for block in blocks for word in block][:count]


@pytest.mark.parametrize(
    ("counter", "key", "known"),
    [
        # Known-answer vectors of Random123 (kat_vectors, philox4x64 10).
        ((0,) * 4, (0,) * 2, "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b"),
        ((MASK,) * 4, (MASK,) * 2, "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0"),
    ],
)
def test_the_reference_gives_the_published_vectors(
    counter: tuple[int, int, int, int], key: tuple[int, int], known: str
) -> None:
    assert " ".join(f"{word:016x}" for word in philox(counter, key)) == known


@pytest.mark.parametrize("key", [("start", "0" * 64, 1), ("random weights", 1, "vgg19", 0), ("é", -5), ()])
def test_words_are_philox(key: tuple[str | int, ...]) -> None:
    assert random_words(1001, *key).tolist() == expected_words(1001, *key)


def test_golden_words() -> None:
    assert [f"{word:016x}" for word in random_words(6, "golden", 1).tolist()] == [
        "9a354cab58d8c3fc",
        "8067b83e7eca2825",
        "e0981cf0d0aca377",
        "c69de608ec957e17",
        "976126254bbbf632",
        "69431537bbe44095",
    ]


def test_golden_normal_numbers() -> None:
    assert (normal(5, "golden", 1) / NORMAL_GRID).tolist() == [-89001, -885, 21707, -132484, -74371]


def test_golden_stream_of_a_start_image() -> None:
    """A long stretch, so that one differing rounding of logarithm or cosine anywhere would show."""
    numbers = (normal(200_001, "start", "0" * 64, 1) / NORMAL_GRID).astype("<i4")
    assert hashlib.sha256(numbers.tobytes()).hexdigest() == GOLDEN_STREAM


GOLDEN_STREAM = "947248901ebc089aa86fe3e933abe8036863a33fe1aab11726b49a13520197f0"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 2**53 - 1))
def test_the_beginning_of_a_longer_request_is_the_shorter_one(first: int, more: int, seed: int) -> None:
    for numbers in (random_words, uniform, normal):
        short, long = numbers(first, "prefix", seed), numbers(first + more, "prefix", seed)
        assert short.shape == (first,)
        assert np.array_equal(long[:first], short)


@given(st.lists(st.one_of(st.integers(), st.text(st.characters(codec="utf-8"))), max_size=4))
def test_any_key_names_a_stream(key: list[str | int]) -> None:
    assert random_words(2, *key).tolist() == expected_words(2, *key)


def test_other_keys_name_other_streams() -> None:
    keys = [("a", 1), ("a", "1"), ("a", 2), ("b", 1), ("a1",), ("a",), ("a", 1, 0), (1, "a"), ()]
    assert len({int(random_words(1, *key)[0]) for key in keys}) == len(keys)


def test_the_global_generators_are_left_alone() -> None:
    np.random.seed(3)  # noqa: NPY002 - the state that must not be touched
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the same state
    random_words(10, "a"), uniform(10, "a"), normal(10, "a")
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002 - the same state


def test_uniform_numbers() -> None:
    numbers = uniform(100_000, "uniform")
    assert numbers.dtype == np.float64
    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    assert np.array_equal(numbers * 2.0**53, np.floor(numbers * 2.0**53))
    assert stats.kstest(numbers, "uniform").pvalue > 0.01


def test_the_largest_word_makes_a_number_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "stimgen.reading.random_numbers.random_words", lambda count, *_: np.full(count, MASK, dtype=np.uint64)
    )
    assert uniform(1)[0] == 1 - 2.0**-53
    assert np.isfinite(normal(2)).all()


def test_normal_numbers_are_box_and_mullers() -> None:
    numbers = normal(1001, "box", 7)
    for i in range(0, 1000, 2):
        first, second = (
            word / 2**53 for word in (w >> 11 for w in expected_words(1002, "box", 7)[i : i + 2])
        )
        radius = math.sqrt(-2 * math.log(1 - first))
        for k, wave in ((i, math.cos), (i + 1, math.sin)):
            exact = radius * wave(2 * math.pi * second)
            assert abs(numbers[k] - exact) <= NORMAL_GRID / 2 + 1e-12


def test_normal_numbers_are_on_their_grid_and_normal() -> None:
    numbers = normal(100_000, "normal")
    assert NORMAL_GRID == 2.0**-16
    assert numbers.dtype == np.float64
    assert np.array_equal(numbers / NORMAL_GRID, np.rint(numbers / NORMAL_GRID))
    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.var() - 1) < 0.015
    assert stats.kstest(numbers, "norm").pvalue > 0.01
    assert abs(np.corrcoef(numbers[::2], numbers[1::2])[0, 1]) < 0.015
