"""A judge's score against numpy, and what must hold of it whatever the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from skimage import data

from stimgen.execution.quality import BatchQuality
from stimgen.networks import NETWORKS, DeviceSpec
from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.errors import StimgenError
from stimgen.synthesis.evaluation_network import EvaluationNetwork, LoadedEvaluationNetwork

CPU = torch.device("cpu")
LAYERS = ("relu1_1", "pool1", "conv2_1")
JUDGE = EvaluationNetwork(network=Vgg19(), layers=LAYERS)
COFFEE = data.coffee()[:64, 100:180].astype(np.float32)[::2, ::2] / 255
CAT = data.chelsea()[:64, 100:180].astype(np.float32)[::2, ::2] / 255
SOURCES = {"coffee": COFFEE, "cat": CAT}


def noise(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random(COFFEE.shape).astype(np.float32)


def score(picture: NDArray[np.float32], source: NDArray[np.float32]) -> float:
    """Return the mean relative error of Gram matrices, in numpy, from feature maps."""
    extract = Vgg19().load(LAYERS, DeviceSpec(CPU))
    images = torch.from_numpy(np.stack([picture, source]).transpose(0, 3, 1, 2).copy())
    errors = []
    for name in LAYERS:
        maps = extract(images)[name].numpy().astype(np.float64)
        found, wanted = (np.einsum("ihw,jhw->ij", m, m) / m[0].size for m in maps)
        errors.append(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
    return float(np.mean(errors))


def test_the_score_is_the_mean_relative_error_of_gram_matrices() -> None:
    found = LoadedEvaluationNetwork(JUDGE, CPU, 2).score_pictures(
        [noise(1), CAT], ["coffee", "coffee"], SOURCES
    )
    assert found[0].score == pytest.approx(score(noise(1), COFFEE), rel=1e-4)
    assert found[1].score == pytest.approx(score(CAT, COFFEE), rel=1e-4)
    assert found[0].score > found[1].score > 0.1


def test_halves_are_compared_both_ways() -> None:
    left, right = COFFEE[:, :20], COFFEE[:, 20:]
    (found,) = LoadedEvaluationNetwork(JUDGE, CPU, 2).score_pictures([COFFEE], ["coffee"], {"coffee": COFFEE})
    assert found.halves == pytest.approx((score(left, right) + score(right, left)) / 2, rel=1e-4)
    assert found.score == pytest.approx(0.0, abs=1e-6)


def test_equal_halves_do_not_differ() -> None:
    # The column in the middle belongs to neither half.
    picture = np.concatenate([COFFEE, COFFEE[:, :1], COFFEE], axis=1)
    (found,) = LoadedEvaluationNetwork(JUDGE, CPU, 2).score_pictures([picture], ["a"], {"a": picture})
    assert found.halves == 0.0


@pytest.mark.parametrize("name", ["embedded", "vgg19"])
def test_company_changes_no_bit(name: str) -> None:
    network = NETWORKS.members[name]()
    judge = EvaluationNetwork.model_validate({"network": network, "layers": ["relu1_1"]})
    pictures, keys = [noise(1), noise(2), noise(3)], ["cat", "coffee", "cat"]
    together = LoadedEvaluationNetwork(judge, CPU, 3).score_pictures(pictures, keys, SOURCES)
    for slots in (1, 2, 5):
        bench = LoadedEvaluationNetwork(judge, CPU, slots)
        assert bench.score_pictures(pictures, keys, SOURCES) == together
        for picture, key, wanted in zip(pictures, keys, together, strict=True):
            assert bench.score_pictures([picture], [key], {key: SOURCES[key]}) == [wanted]


def test_threads_change_no_bit() -> None:
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            found.append(
                LoadedEvaluationNetwork(JUDGE, CPU, 2).score_pictures(
                    [noise(1), CAT], ["coffee", "cat"], SOURCES
                )
            )
        finally:
            torch.set_num_threads(before)
    assert found[0] == found[1]


def test_greys_are_judged() -> None:
    grey = COFFEE.mean(2, keepdims=True)
    (found,) = LoadedEvaluationNetwork(JUDGE, CPU, 2).score_pictures([grey], ["a"], {"a": grey})
    assert found.score == pytest.approx(0.0, abs=1e-6)


def test_pictures_that_are_too_small() -> None:
    judge = EvaluationNetwork(network=Vgg19(), depth="pool3")
    with pytest.raises(StimgenError, match=r"7 x 64 pixels are too few for the judge vgg19: .* need 8"):
        judge.check(7, 64)
    judge.check(8, 64)
    source = COFFEE[:8, :8]
    (found,) = LoadedEvaluationNetwork(judge, CPU, 2).score_pictures([source], ["a"], {"a": source})
    assert np.isnan(found.halves)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({}, "say either `depth` or `layers`"),
        ({"depth": "pool2", "layers": ["pool2"]}, "say either `depth` or `layers`"),
        ({"layers": ["relu9_9"]}, "vgg19 has no layer 'relu9_9'"),
        ({"depth": "scale3"}, "vgg19 has no depth 'scale3'"),
    ],
)
def test_layers_that_are_not_there(layers: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EvaluationNetwork.model_validate({"network": {"name": "vgg19"}, **layers})


class TestBatchQuality:
    def test_the_judge_is_recorded(self) -> None:
        bench = LoadedEvaluationNetwork(JUDGE, CPU, 2)
        (found,) = BatchQuality(SOURCES, "srgb", bench).records([CAT], ["coffee"], [True])
        (wanted,) = bench.score_pictures([CAT], ["coffee"], SOURCES)
        assert found.judge is not None
        assert (found.judge.network, found.judge.layers) == ("vgg19", LAYERS)
        assert found.judge.weights_sha256 == bench.weights_sha256
        assert found.judge.score == pytest.approx(wanted.score, rel=1e-5)
        assert found.judge.halves == pytest.approx(wanted.halves, rel=1e-5)
        assert found.converged is True

    def test_parts_of_pictures_are_not_judged(self) -> None:
        (found,) = BatchQuality(SOURCES, "srgb", LoadedEvaluationNetwork(JUDGE, CPU, 2)).records(
            [CAT[:16]], ["cat"], [None]
        )
        assert found.judge is None
        assert found.luminance_distance is None
        assert found.converged is None
