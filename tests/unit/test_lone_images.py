"""An image that fills two slots is computed once where that changes no bit, and twice elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from stimgen.statistics.region_grams import _multiply_vectors
from stimgen.statistics.squared_error import compute_image_means, sum_images
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.term import Term

TERMS = {
    "pixels": Term(network="pixels", layers=["rgb"]),
    "wavelets": Term(network="embedded", depth="scale3"),
    "wavelets in regions": Term(network="embedded", depth="scale1", regions="2x2"),
    "vgg19, as published": Term(
        network="vgg19", depth="pool1", statistic={"name": "gram", "normalisation": "gatys2015"}
    ),
    "whitened": Term(network="embedded", depth="scale3", statistic="whitened_gram"),
    "unstable": Term(network="vgg19", depth="pool1", statistic="moments"),
}


@pytest.fixture(params=[1, 2])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many images were computed at once, evaluation by evaluation."""
    found, evaluate = list[int](), Objective._evaluate

    def count(self: Objective, variables: Tensor, rows: Tensor | None) -> Evaluation:
        found.append(len(variables))
        return evaluate(self, variables, rows)

    monkeypatch.setattr(Objective, "_evaluate", count)
    return found


def pictures(seed: int, side: int = 64) -> Tensor:
    """Return a picture twice; some values are out of range."""
    one = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return torch.cat([one, one]) * 1.2 - 0.1


def objective(term: Term, *seeds: int) -> Objective:
    keys = tuple(("a", seed) for seed in seeds)
    return Objective((term,), SoftPenalty(), BatchSources(pictures(0), torch.tensor([0, 0]), keys))


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("name", TERMS)
def test_its_bits_are_those_that_it_has_beside_another(name: str, counts: list[int]) -> None:
    alone, among = objective(TERMS[name], 1, 1), objective(TERMS[name], 1, 2)
    for seed in range(1, 4):
        found, wanted = alone(pictures(seed)), among(pictures(seed))
        assert torch.equal(found.parts, wanted.parts)
        assert torch.equal(found.gradient, wanted.gradient)
        assert found.gradient.stride() == wanted.gradient.stride()
    if name == "pixels":
        assert counts == [1, 2, 2, 1, 2, 1, 2]  # the first is tried both ways
    if name == "unstable":
        assert set(counts) == {2}


def test_two_different_images_are_both_computed(counts: list[int]) -> None:
    both = torch.cat([pictures(1)[:1], pictures(2)[:1]])
    for seeds in ((1, 1), (1, 2)):
        objective(TERMS["pixels"], *seeds)(both)
    assert counts == [2, 2]


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("moving", [0, 1])
def test_an_image_that_stays_where_it_is_is_not_computed_again(
    name: str, moving: int, counts: list[int]
) -> None:
    """As one of two does that is done before the other."""
    points = [torch.cat([pictures(1)[:1], pictures(2)[:1]]) for _ in range(4)]
    for i, point in enumerate(points):
        point[moving] = pictures(10 + i)[0]
    sparing = objective(TERMS[name], 1, 2)
    found = [sparing(point, torch.arange(2)) for point in points]
    seen = list(counts)
    for point, one in zip(points, found, strict=True):
        wanted = objective(TERMS[name], 1, 2)(point, torch.arange(2))
        assert torch.equal(one.parts, wanted.parts)
        assert torch.equal(one.gradient, wanted.gradient)
    if name == "pixels":
        assert seen == [2, 1, 2, 1, 1]
    if name == "unstable":
        assert seen == [2, 2, 2, 2]


def test_what_has_other_bits_alone_is_computed_twice(
    monkeypatch: pytest.MonkeyPatch, counts: list[int]
) -> None:
    """As with a library that divides one image among threads."""
    evaluate = Objective._evaluate

    def evaluate_otherwise(self: Objective, variables: Tensor, rows: Any) -> Evaluation:
        found = evaluate(self, variables, rows)
        last_bit = torch.finfo(torch.float32).eps if len(variables) == 1 else 0.0
        return Evaluation(found.parts, found.gradient * (1.0 + last_bit))

    monkeypatch.setattr(Objective, "_evaluate", evaluate_otherwise)
    tried = objective(TERMS["pixels"], 1, 1)
    for seed in range(1, 4):
        tried(pictures(seed))
    assert counts == [1, 2, 2, 2]


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("size", [1, 5, 3 * 128**2, 512**2])
def test_sums_of_one_image_have_the_bits_of_the_first_of_two(size: int) -> None:
    values = torch.rand(2, size, generator=torch.Generator().manual_seed(size))
    for reduce in (sum_images, compute_image_means):
        assert torch.equal(reduce(values[:1]), reduce(values)[:1])
    torch.testing.assert_close(sum_images(values), values.sum(1))


@pytest.mark.parametrize("size", [3, 64, 195, 512])
def test_products_with_a_vector_do_too(size: int) -> None:
    generator = torch.Generator().manual_seed(size)
    matrices, vectors = (torch.randn(2, size, n, generator=generator) for n in (size, 1))
    both = _multiply_vectors(matrices, vectors)
    assert torch.equal(_multiply_vectors(matrices[:1], vectors[:1]), both[:1])
