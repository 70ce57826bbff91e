"""Ranges: the numbers of each, worked out by hand, and pictures made with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem, SynthesisResult
from stimgen.synthesis.ranges.bounds import HardBounds
from stimgen.synthesis.ranges.sigmoid import SigmoidConstraint
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term


def test_a_mapping_without_a_name_means_the_range_that_has_its_keys() -> None:
    assert SynthesisSettings(range={"penalty": 0}).range == SoftPenalty(penalty=0.0)
    assert SynthesisSettings(range={"margin": 0.01}).range == SigmoidConstraint(margin=0.01)
    assert SynthesisSettings(range={"of": "source"}, optimiser="adam").range == HardBounds(of="source")


def test_bounds_need_an_optimiser_that_keeps_them() -> None:
    with pytest.raises(ValidationError, match="'lbfgs' keeps none"):
        SynthesisSettings(range="bounds")


def test_the_sigmoid_is_the_logistic_function() -> None:
    variables = torch.tensor([[-2.0, 0.0, 3.0]])
    expected = [[1 / (1 + math.exp(2)), 0.5, 1 / (1 + math.exp(-3))]]
    torch.testing.assert_close(SigmoidConstraint().to_pixels(variables), torch.tensor(expected))
    found = SigmoidConstraint(margin=0.25).to_variables(torch.tensor([[-1.0, 0.1, 0.5, 0.9, 2.0]]))
    torch.testing.assert_close(found, math.log(3.0) * torch.tensor([[-1.0, -1.0, 0.0, 1.0, 1.0]]))


def test_bounds_of_the_unit_interval() -> None:
    lower, upper = HardBounds().bounds(torch.rand(2, 3, 4, 4))
    assert lower.flatten().tolist() == [0.0] * 6
    assert upper.flatten().tolist() == [1.0] * 6


def test_bounds_of_a_source_are_those_of_the_preprocessed_picture() -> None:
    rng = np.random.default_rng(0)
    source = rng.integers(0, 256, size=(6, 5, 3))
    blue_green_red = source[:, :, ::-1] - np.array([103.939, 116.779, 123.68])
    lowest, highest = blue_green_red.min(), blue_green_red.max()
    as_tensor = torch.from_numpy(source.transpose(2, 0, 1)[None] / 255.0)
    lower, upper = HardBounds(of="source").bounds(as_tensor)
    for channel, mean in enumerate((123.68, 116.779, 103.939)):
        assert lower[0, channel].item() == pytest.approx((lowest + mean) / 255)
        assert upper[0, channel].item() == pytest.approx((highest + mean) / 255)


def test_black_and_white_let_blue_below_black_and_red_above_white() -> None:
    source = torch.zeros(1, 3, 1, 2, dtype=torch.float64)
    source[..., 1] = 1.0
    lower, upper = HardBounds(of="source").bounds(source)
    assert lower.flatten().tolist() == pytest.approx([0.0, -6.901 / 255, -19.741 / 255])
    assert upper.flatten().tolist() == pytest.approx([1 + 19.741 / 255, 1 + 12.84 / 255, 1.0])


def test_a_grey_source_is_bounded_by_its_own_extremes() -> None:
    source = torch.tensor([0.25, 0.5, 0.75]).reshape(1, 1, 1, 3)
    lower, upper = HardBounds(of="source").bounds(source)
    assert (lower.item(), upper.item()) == (0.25, 0.75)


def made(synthesis: SynthesisSettings, *chosen: int) -> SynthesisResult:
    rng = np.random.default_rng(3)
    sources = [rng.random((24, 24, 3), dtype=np.float32) ** 3 for _ in range(2)]
    items = [
        SynthesisItem(source, NormalNoise().pixels((24, 24, 3), (str(i), i), None), str(i), (str(i), i))
        for i, source in enumerate(sources)
        if i in (chosen or (0, 1))
    ]
    method = ObjectiveMethod(terms=(Term(layers=["relu1_1"]),), synthesis=synthesis)
    return run_generator(method.run(SynthesisBatch(items, 2), torch.device("cpu")))


@pytest.mark.parametrize(
    "settings", [{"range": "sigmoid"}, {"range": "bounds", "optimiser": {"name": "adam", "step": 0.05}}]
)
def test_pictures_stay_in_range_and_approach_their_sources(settings: dict) -> None:
    result = made(SynthesisSettings(scales=2, evaluations=40, **settings))
    for i, image in enumerate(result.images):
        assert 0.0 <= image.min() < image.max() <= 1.0
        losses = result.measure(result.images)[i]
        assert losses.parts["range"] == 0.0
        assert losses.total < 0.2 * result.start[i].total
        # What is measured at the end is what was lowest on the way, through the range and back.
        lowest = min(line.losses.total for line in result.traces[i] if line.scale == 1)
        assert losses.total == pytest.approx(lowest, rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"range": "sigmoid"},
        {"range": "sigmoid", "optimiser": "adam"},
        {"range": "bounds", "optimiser": {"name": "adam", "step": 0.05}},
        {"range": {"of": "source"}, "optimiser": "lbfgsb"},
    ],
)
def test_an_image_is_made_as_if_alone(settings: dict) -> None:
    synthesis = SynthesisSettings(scales=2, evaluations=8, **settings)
    together, alone = made(synthesis), made(synthesis, 1)
    assert np.array_equal(together.images[1], alone.images[0])
    assert together.traces[1] == alone.traces[0]
