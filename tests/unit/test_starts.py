"""Starts: means of single colours, even noise, the source's mean colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.starts.source_mean import SourceMeanStart
from stimgen.synthesis.starts.uniform import UniformNoise

MEANS = (0.2, 0.5, 0.8)
KEY = ("source", 3)


def test_every_colour_has_its_own_mean_and_the_noise_of_the_seed() -> None:
    plain = NormalNoise(mean=0.0, deviation=0.1).pixels((40, 30, 3), KEY, None)
    found = NormalNoise(mean=MEANS, deviation=0.1).pixels((40, 30, 3), KEY, None)
    assert np.allclose(found - plain, MEANS, atol=1e-6)


def test_a_grey_start_has_the_mean_of_the_colours() -> None:
    for kind in (NormalNoise, UniformNoise):
        assert np.array_equal(
            kind(mean=(0.25, 0.5, 1.0)).pixels((9, 8, 1), KEY, None),
            kind(mean=1.75 / 3).pixels((9, 8, 1), KEY, None),
        )


def test_even_noise_fills_its_range_evenly() -> None:
    found = UniformNoise(mean=MEANS, half_width=0.1).pixels((64, 64, 3), KEY, None)
    for channel, mean in enumerate(MEANS):
        values = (found[:, :, channel].ravel() - mean) / 0.1
        assert values.min() >= -1 - 1e-6
        assert values.max() <= 1 + 1e-6
        counts, _ = np.histogram(values, bins=8, range=(-1, 1))
        # 4096 values in 8 bins: 512 expected, with a deviation of 21.
        assert np.all(np.abs(counts - 512) < 110)


def test_even_noise_depends_on_source_and_seed() -> None:
    start = UniformNoise()
    first = start.pixels((8, 8, 3), KEY, None)
    assert np.array_equal(first, start.pixels((8, 8, 3), KEY, None))
    assert not np.array_equal(first, start.pixels((8, 8, 3), ("source", 4), None))
    assert not np.array_equal(first, start.pixels((8, 8, 3), ("other", 3), None))


def test_the_mean_of_the_source_is_kept_and_its_structure_is_not() -> None:
    source = np.random.default_rng(1).random((32, 32, 3), dtype=np.float32)
    source[:, :, 2] *= 0.5
    found = SourceMeanStart(deviation=0.01).pixels(source.shape, KEY, source)
    noise = NormalNoise(mean=0.0, deviation=0.01).pixels(source.shape, KEY, None)
    assert np.allclose(found - noise, source.mean((0, 1)), atol=1e-5)
    with pytest.raises(StimgenError, match="needs the source"):
        SourceMeanStart().pixels((32, 32, 3), KEY, None)
    with pytest.raises(StimgenError, match="needs the source"):
        SourceMeanStart().pixels((32, 32, 1), KEY, source)


@pytest.mark.parametrize(
    ("start", "complaint"),
    [
        ("{mean: [0.5, 0.5]}", "start.mean"),
        ("{mean: [0.1, 0.2, 1.3]}", "start.mean"),
        ("{mean: red}", "mean"),
    ],
)
def test_a_mean_is_a_number_or_three(tmp_path: Path, start: str, complaint: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        'name: p\nsources: [{file: "skimage:brick"}]\n'
        f"synthesis:\n  start: {start}\nconditions: [{{id: a, depth: scale1}}]\n"
    )
    with pytest.raises(StimgenError) as error:
        load_protocol(file)
    assert complaint in str(error.value)
