"""The embedded default in the eyes of a trained network, on a picture small enough for every run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from looks import METHODS, Judge, copied, held_back, textures

from stimgen.synthesis.evaluation_network import EvaluationNetwork as ProtocolJudge
from stimgen.synthesis.evaluation_network import LoadedEvaluationNetwork


@pytest.fixture
def judge(shared: Path) -> Judge:
    return Judge(shared / "weights" / "squeezenet1_0-imagenet.safetensors")


def test_the_default_looks_better_than_a_deeper_random_network(judge: Judge) -> None:
    """At 64 px and 40 evaluations: 0.18 against 0.29; docs/embedded-default.md has more, and larger."""
    sources = {name: picture for name, picture in held_back(64).items() if name in ("grass", "coins")}

    def score(method: str) -> float:
        made = textures(sources, METHODS[method], 40)
        assert max(copied(made[name], source) for name, source in sources.items()) < 0.9
        return float(np.mean([judge(made[name], source) for name, source in sources.items()]))

    default = score("embedded, scale4")
    assert default < 0.22
    assert default < score("vgg19 random, pool3")


def test_noise_and_the_source_itself_are_told_apart(judge: Judge) -> None:
    source = held_back(64)["grass"]
    noise = np.random.default_rng(1).normal(0.5, 0.2, source.shape).astype(np.float32)
    assert judge(source, source) < 1e-6
    assert judge(noise, source) > 0.5
    assert copied(source, source) > 0.999
    assert copied(noise, source) < 0.5


def test_a_protocol_can_name_this_judge(judge: Judge, shared: Path) -> None:
    """Its layers by their names in place of torchvision's numbers."""
    file = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    weights = {"file": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    layers = ["relu1", "pool1", "fire4", "pool4", "fire5", "fire7", "fire8"]
    network = {"name": "squeezenet1_0", "weights": weights}
    bench = LoadedEvaluationNetwork(
        ProtocolJudge.model_validate({"network": network, "layers": layers}), torch.device("cpu"), 2
    )
    source = held_back(64)["grass"]
    noise = np.random.default_rng(1).random(source.shape).astype(np.float32)
    (found,) = bench.score_pictures([noise], ["grass"], {"grass": source})
    assert found.score == pytest.approx(judge(noise, source), rel=1e-4)
    assert 0.05 < found.halves < 0.3  # grass is like other grass
