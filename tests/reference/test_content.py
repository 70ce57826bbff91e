"""The content term against its formula, and what it reconstructs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stimgen.reading.generators import run_generator
from stimgen.statistics.content import ContentStatistic
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
WHOLE = Pooling(Grid())


@pytest.mark.parametrize("normalisation", ["relative", "gatys2016"])
def test_distance_is_the_published_formula(normalisation: str) -> None:
    source, image = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 3, 4, 5))
    content = ContentStatistic(normalisation=normalisation)
    found = content.distance(torch.from_numpy(image), content.target(torch.from_numpy(source), WHOLE))
    for i in range(2):
        error = sum(
            (image[i, n, r, c] - source[i, n, r, c]) ** 2
            for n in range(3)
            for r in range(4)
            for c in range(5)
        )
        half, norm = error / 2, error / np.square(source[i]).sum()
        assert found[i].item() == pytest.approx(half if normalisation == "gatys2016" else norm, rel=1e-12)


def test_every_position_of_every_map_is_a_parameter() -> None:
    term = Term(network="vgg19", layers=["pool1"], statistic="content")
    assert term.count_parameters(64, 48) == 64 * 32 * 24


@pytest.mark.parametrize("name", ["content"])
def test_regions_are_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} is measured over the whole image") as caught:
        Term(layers=["scale1"], statistic=name, regions="2x2")
    assert caught.value.errors()[0]["ctx"]["at"] == "regions"
    assert "regions: 1x1" in caught.value.errors()[0]["ctx"]["hint"]


def test_alone_it_reconstructs_the_picture() -> None:
    rows, columns = np.mgrid[:32, :32] / 32
    edges = (np.hypot(rows - 0.4, columns - 0.6) < 0.3) * 0.5
    picture = np.stack([0.2 + edges, 0.6 * rows + 0.2, 0.9 - 0.7 * columns * rows], axis=2).astype(np.float32)
    term = {"network": "vgg19", "layers": ["conv1_1"], "statistic": "content"}
    synthesis = {"scales": 1, "evaluations": 40}
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": synthesis})
    start = NormalNoise().pixels(picture.shape, ("source", 1), None)
    steps = method.run(
        SynthesisBatch([SynthesisItem(picture, start, "source", ("source", 1))], 2),
        torch.device("cpu"),
    )
    found = result_of(steps)
    assert psnr(start, picture) < 15
    assert psnr(found, picture) > 30


def result_of(steps) -> np.ndarray:
    return run_generator(steps).images[0]


def psnr(image: np.ndarray, picture: np.ndarray) -> float:
    """Return the ratio of the largest value, 1, to the error, in decibels."""
    return -10 * np.log10(np.square(np.clip(image, 0, 1) - picture).mean())
