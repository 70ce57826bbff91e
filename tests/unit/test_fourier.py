"""Inverse transforms against numpy's, and the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from stimgen.computation.fourier import invert_real_spectra
from stimgen.images.prepare import Pixels
from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (32, 32), (64, 64), (63, 48)])
def test_pictures_are_numpys_with_the_same_bits_for_one_and_two_threads(size: tuple[int, int]) -> None:
    pictures = torch.from_numpy(np.random.default_rng(1).random((4, 3, *size)).astype(np.float32))
    spectra = torch.fft.rfft2(pictures)
    torch.set_num_threads(1)
    one = invert_real_spectra(spectra, size)
    torch.set_num_threads(2)
    assert torch.equal(invert_real_spectra(spectra, size), one)
    assert torch.get_num_threads() == 2
    np.testing.assert_allclose(one.numpy(), np.fft.irfft2(spectra.numpy(), s=size), atol=1e-6)


def make_texture(term: Term, source: Pixels, threads: int) -> list[Pixels]:
    torch.set_num_threads(threads)
    method = ObjectiveMethod(terms=(term,), synthesis=SynthesisSettings(evaluations=3, scales=1))
    start = method.start.pixels(source.shape, ("s", 1), None)
    items = [SynthesisItem(source, start, "s", ("s", 1)), SynthesisItem(source, start * 0.5, "s", ("s", 2))]
    return run_generator(method.run(SynthesisBatch(items, 2), torch.device("cpu"))).images


@pytest.mark.parametrize(
    "term",
    [
        Term(statistic="spectrum", network="pixels", depth="rgb"),
        Term(network={"name": "steerable_pyramid", "scales": 3}, depth="scale3"),
    ],
    ids=["spectrum", "steerable_pyramid"],
)
def test_transforms_of_64_pixels_give_the_same_texture_for_one_and_two_threads(term: Term) -> None:
    source = np.random.default_rng(2).random((64, 64, 3)).astype(np.float32)
    one, two = make_texture(term, source, 1), make_texture(term, source, 2)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
