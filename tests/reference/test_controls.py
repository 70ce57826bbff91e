"""Controls against what defines them, computed here in another way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from stimgen import generate
from stimgen.reading.random_numbers import uniform
from stimgen.statistics import LayerSize
from stimgen.statistics.autocorrelation import Autocorrelation
from stimgen.statistics.spectrum import SpectrumStatistic
from stimgen.synthesis.methods import METHODS, ReferenceInfo, SynthesisBatch, SynthesisItem
from stimgen.synthesis.methods.phase_scrambled import PhaseScrambled, compute_unit_phases
from stimgen.synthesis.methods.spectrum_matched_noise import SpectrumMatchedNoise

CPU = torch.device("cpu")
SHAPES = [(16, 16, 3), (15, 12, 3), (13, 9, 1)]


def made(name: str, item: SynthesisItem, **fields: str) -> np.ndarray:
    steps = METHODS.members[name](**fields).run(SynthesisBatch([item], 2), CPU)
    with pytest.raises(StopIteration) as end:
        next(steps)
    return end.value.value.images[0].astype(np.float64)


def coloured(shape: tuple[int, int, int]) -> np.ndarray:
    """Return a picture whose channels are correlated and whose rows are smoother than its columns."""
    values = uniform(shape[0] * shape[1] * shape[2], "picture").reshape(shape)
    smooth = values + np.roll(values, 1, axis=1) + np.roll(values, 2, axis=1)
    mixed = smooth + 0.7 * smooth.mean(axis=2, keepdims=True)
    return (0.2 + 0.6 * (mixed - mixed.min()) / np.ptp(mixed)).astype(np.float32)


def item(shape: tuple[int, int, int], seed: int = 1) -> SynthesisItem:
    picture = coloured(shape)
    return SynthesisItem(picture, np.zeros_like(picture), "picture", ("picture", seed))


def power(picture: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.fft2(picture, axes=(0, 1))) ** 2


def covariance(picture: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(picture.reshape(-1, picture.shape[2]).T, bias=True))


@pytest.mark.parametrize("shape", SHAPES)
class TestPhaseScrambled:
    def test_keeps_every_amplitude_and_the_colours(self, shape: tuple[int, int, int]) -> None:
        found = made("phase_scrambled", item(shape), range="cut")
        source = item(shape).source.astype(np.float64)
        np.testing.assert_allclose(np.sqrt(power(found)), np.sqrt(power(source)), atol=2e-5)
        np.testing.assert_allclose(found.mean((0, 1)), source.mean((0, 1)), atol=1e-7)
        np.testing.assert_allclose(covariance(found), covariance(source), atol=1e-8)

    def test_keeps_nothing_of_the_places(self, shape: tuple[int, int, int]) -> None:
        found, source = made("phase_scrambled", item(shape)), item(shape).source
        correlation = np.corrcoef(found[:, :, 0].ravel(), source[:, :, 0].ravel())[0, 1]
        assert abs(correlation) < 0.5

    def test_phases_of_a_real_noise_are_those_of_its_transform(self, shape: tuple[int, int, int]) -> None:
        noise = uniform(shape[0] * shape[1], "noise").reshape(shape[:2])
        expected = np.angle(np.fft.rfft2(noise))
        expected[0, 0] = 0.0
        np.testing.assert_allclose(compute_unit_phases(noise), np.exp(1j * expected), atol=1e-12)


def test_phases_are_one_where_noise_has_no_amplitude() -> None:
    np.testing.assert_array_equal(compute_unit_phases(np.zeros((4, 6))), np.ones((4, 4)))


def striped(contrast: float) -> np.ndarray:
    """Return a picture of black and white patches, in which many values lie at the ends of the range."""
    y, x = np.mgrid[:32, :48]
    patches = np.stack([(x // 5 + y // (4 + i)) % 2 for i in range(3)], axis=2)
    return (0.5 + contrast * (patches - 0.5)).astype(np.float32)


class TestRange:
    def changed(
        self, contrast: float, how: str, name: str = "phase_scrambled"
    ) -> tuple[np.ndarray, np.ndarray]:
        picture = striped(contrast)
        one = SynthesisItem(picture, np.zeros_like(picture), "picture", ("picture", 1))
        return made(name, one, range=how), picture.astype(np.float64)

    def kept(self, found: np.ndarray, source: np.ndarray) -> float:
        spectra = np.sqrt(power(found)), np.sqrt(power(source))
        for spectrum in spectra:
            spectrum[0, 0] = 0
        return float((spectra[0] * spectra[1]).sum() / (spectra[1] ** 2).sum())

    @pytest.mark.parametrize("contrast", [0.3, 0.5, 0.7])
    def test_fit_keeps_amplitudes_means_and_colours_in_range(self, contrast: float) -> None:
        found, source = self.changed(contrast, "fit")
        assert found.min() >= 0
        assert found.max() <= 1
        assert self.kept(found, source) == pytest.approx(1, abs=0.01)
        np.testing.assert_allclose(found.mean((0, 1)), source.mean((0, 1)), atol=0.01)
        np.testing.assert_allclose(covariance(found), covariance(source), rtol=0.03, atol=2e-3)
        assert abs(np.corrcoef(found.ravel(), source.ravel())[0, 1]) < 0.5

    def test_scale_has_the_same_amplitudes_up_to_a_factor(self) -> None:
        (found, source), (before, _) = self.changed(0.9, "scale"), self.changed(0.9, "cut")
        assert before.min() < -0.1
        assert max(-found.min(), found.max() - 1) == pytest.approx(0, abs=1e-6)
        factor = self.kept(found, source)
        assert 0.3 < factor < 0.9
        expected = factor * np.sqrt(power(source))
        expected[0, 0] /= factor
        np.testing.assert_allclose(np.sqrt(power(found)), expected, atol=2e-4)

    def test_what_fits_is_the_same_in_all_ways(self) -> None:
        found = [self.changed(0.1, how)[0] for how in ("fit", "scale", "cut")]
        assert 0 < found[0].min() < found[0].max() < 1
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[0], found[2])

    @pytest.mark.parametrize("name", ["phase_scrambled", "spectrum_matched_noise"])
    def test_identities_of_before_are_those_of_cut(self, name: str) -> None:
        cut, fit = (METHODS.members[name](range=how).recipe(ReferenceInfo()) for how in ("cut", "fit"))
        assert "range" not in cut["settings"]
        assert fit["settings"] == {**cut["settings"], "range": "fit"}


@pytest.mark.parametrize(("channels", "numbers"), [(1, 1), (3, 5)])
def test_members_of_one_spectrum_have_one_number_of_parameters(channels: int, numbers: int) -> None:
    sizes = {"a": LayerSize(channels, 10, 12)}
    found = [
        PhaseScrambled().count_parameters(12, 10, channels),
        SpectrumMatchedNoise().count_parameters(12, 10, channels),
        SpectrumStatistic().count_parameters(sizes),
    ]
    assert found == [numbers * 60] * 3
    # One number less of each channel's phases, which a map's autocorrelation does not know.
    assert Autocorrelation(wrapped=True).count_parameters(sizes) == channels * 60


SEEDS = 400


class TestSpectrumMatchedNoise:
    SHAPE = (12, 10, 3)

    def noises(self, spectrum: str) -> np.ndarray:
        items = [item(self.SHAPE, seed) for seed in range(SEEDS)]
        return np.stack(
            [made("spectrum_matched_noise", one, spectrum=spectrum, range="cut") for one in items]
        )

    @pytest.mark.parametrize("spectrum", ["full", "radial"])
    def test_mean_is_the_sources_and_colours_are_so_on_the_average(self, spectrum: str) -> None:
        source, found = item(self.SHAPE).source.astype(np.float64), self.noises(spectrum)
        np.testing.assert_allclose(
            found.mean((1, 2)), np.broadcast_to(source.mean((0, 1)), (SEEDS, 3)), atol=1e-7
        )
        average = np.mean([covariance(one) for one in found], axis=0)
        np.testing.assert_allclose(average, covariance(source), rtol=0.06)

    def test_full_has_the_power_of_every_frequency_on_the_average(self) -> None:
        source, found = item(self.SHAPE).source.astype(np.float64), self.noises("full")
        ratio = np.mean([power(one) for one in found], axis=0) / power(source)
        # A power's mean over n seeds scatters by sqrt(1 / n) of it, by sqrt(2 / n) at its own mirror image.
        assert np.abs(ratio - 1).max() < 4.5 * np.sqrt(2 / SEEDS)
        spread = np.std([power(one) for one in found], axis=0) / power(source)
        assert np.median(spread[1:]) == pytest.approx(1.0, abs=0.1)

    def test_radial_has_the_mean_power_of_every_ring_in_all_orientations(self) -> None:
        source, found = item(self.SHAPE).source.astype(np.float64), self.noises("radial")
        distance = np.hypot(np.fft.fftfreq(12)[:, None], np.fft.fftfreq(10)) * 12
        average = np.mean([power(one) for one in found], axis=0)
        for ring in range(1, 9):
            inside = np.abs(distance - ring) <= 0.5
            expected = power(source)[inside].mean(0)
            np.testing.assert_allclose(average[inside].mean(0), expected, rtol=0.15)
            assert np.abs(average[inside] / expected - 1).max() < 4.5 * np.sqrt(2 / SEEDS)

    def test_grey_noise_has_one_plane(self) -> None:
        one = item((13, 9, 1))
        assert made("spectrum_matched_noise", one, spectrum="radial").shape == (13, 9, 1)

    def test_parameters(self) -> None:
        # The corner, where both frequencies are a half, is sqrt(2) * 5 = 7.07 cycles from zero.
        radial = SpectrumMatchedNoise(spectrum="radial")
        assert radial.count_parameters(10, 10) == 8
        assert radial.count_parameters(10, 10, 3) == 3 + 7 * 6


@pytest.mark.parametrize("shape", SHAPES)
def test_histogram_matched_noise_has_the_same_pixels(shape: tuple[int, int, int]) -> None:
    found, source = made("histogram_matched_noise", item(shape)), item(shape).source.astype(np.float64)
    assert not np.array_equal(found, source)
    pixels, expected = (np.array(sorted(map(tuple, p.reshape(-1, shape[2])))) for p in (found, source))
    np.testing.assert_array_equal(pixels, expected)


PROTOCOL = """
name: controls
sources:
  - {file: "skimage:coffee", id: coffee}
  - {file: "skimage:brick", id: brick}
preparation: {size: 48}
seeds: [1, 2]
conditions:
  - {id: same, method: original}
  - {id: scrambled, method: phase_scrambled}
  - {id: noise, method: spectrum_matched_noise}
  - {id: radial, method: {name: spectrum_matched_noise, spectrum: radial}}
  - {id: shuffled, method: histogram_matched_noise}
"""


def test_a_protocol_of_controls(tmp_path: Path) -> None:
    file = tmp_path / "controls.yaml"
    file.write_text(PROTOCOL)
    stimuli = generate(file, tmp_path / "set")
    found = [(name, record.content) for name, record in stimuli.records.items()]
    counts = Counter(content.condition for _, content in found)
    assert counts == {"same": 2, "scrambled": 4, "noise": 4, "radial": 4, "shuffled": 4}
    for name, content in found:
        picture, original = stimuli.image(name), stimuli.original(name)
        assert content.losses is None
        assert np.array_equal(picture, original) == (content.condition == "same")
        if content.condition == "shuffled":
            np.testing.assert_array_equal(np.sort(picture, axis=None), np.sort(original, axis=None))
        kept = content.quality.amplitude_kept
        if content.condition in ("same", "shuffled"):
            assert kept is None
        else:
            assert 0.96 < kept < 1.01
            assert content.clipped.saved == 0
