"""Similarity of activations: scipy's numbers, and where there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr

from stimgen.execution.proof.null_distribution import LayerNull
from stimgen.execution.proof.similarity import ActivationVector, Similarity

NUMBERS = st.integers(-50, 50)


@given(arrays(np.int64, (2, 12), elements=NUMBERS))
def test_measures_are_scipy_s(pair: np.ndarray) -> None:
    one, other = pair.astype(np.float32) / 8  # exact, with many ties
    found = ActivationVector(one).compare(ActivationVector(other))
    if one.std() > 0 and other.std() > 0:
        assert found.pearson == pytest.approx(pearsonr(one, other)[0], abs=1e-6)
        assert found.spearman == pytest.approx(spearmanr(one, other)[0], abs=1e-6)
    else:
        assert math.isnan(found.pearson)
        assert math.isnan(found.spearman)
    if one.any():
        distance = float(np.linalg.norm(one - other) / np.linalg.norm(one))
        assert found.distance == pytest.approx(distance, abs=1e-6)
        assert found.snr == (pytest.approx(-20 * math.log10(distance), abs=1e-4) if distance else math.inf)
    else:
        assert math.isnan(found.distance)


def test_equal_activations_are_as_near_as_can_be() -> None:
    vector = ActivationVector(np.random.default_rng(0).random(1000, dtype=np.float32))
    assert vector.compare(vector) == pytest.approx(Similarity(1.0, 1.0, math.inf, 0.0))


def test_the_share_is_that_of_the_worst_measure() -> None:
    null = LayerNull(
        pearson=(0.1, 0.2, 0.3, 0.4),
        spearman=(0.1, 0.2, 0.3, 0.4),
        snr=(1.0, 2.0, 3.0, 4.0),
        distance=(0.9, 0.8, 0.7, 0.6),
    )
    assert null.find_share(Similarity(0.5, 0.5, 5.0, 0.5)) == 0.0
    assert null.find_share(Similarity(0.5, 0.35, 5.0, 0.5)) == 0.25
    assert null.find_share(Similarity(0.5, 0.35, 2.5, 0.5)) == 0.5
    assert null.find_share(Similarity(math.nan, 0.35, math.inf, 0.0)) == 0.25
    assert null.find_share(Similarity(math.nan, math.nan, math.nan, math.nan)) == 1.0
    assert null.summarise(50.0).distance == pytest.approx(0.75)
    assert null.summarise(1.0).pearson == pytest.approx(np.percentile(null.pearson, 99))
