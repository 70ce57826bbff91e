"""The objective: sums of terms, gradients, masks between images; settings and starts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import run_generator
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.pyramid import enlarge_images, shrink_images
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.starts.image import ImageStart
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

CPU = torch.device("cpu")


def pictures(count: int, side: int = 24, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def objective(*terms: Term, penalty: float = 0.0, which: tuple[int, ...] = (0, 1)) -> Objective:
    sources = BatchSources(pictures(2), torch.tensor(which))
    return Objective(terms, SoftPenalty(penalty=penalty), sources)


ROWS = torch.arange(2)
SHALLOW = Term(network="vgg19", depth="pool1")


def test_terms_add_up_with_their_weights() -> None:
    images = pictures(2, seed=1)
    both = objective(SHALLOW.replace(weight=2.0), Term(network="vgg19", layers=["relu2_1"], weight=0.5))
    first = objective(SHALLOW).measure(images, ROWS)[:, 0]
    second = objective(Term(network="vgg19", layers=["relu2_1"])).measure(images, ROWS)[:, 0]
    parts = both.measure(images, ROWS)
    torch.testing.assert_close(parts[:, 0], 2.0 * first)
    torch.testing.assert_close(parts[:, 1], 0.5 * second)


def test_layer_weights_scale_layers() -> None:
    images = pictures(2, seed=1)
    separate = [
        objective(Term(network="vgg19", layers={name: 1.0})).measure(images, ROWS)[:, 0]
        for name in ("relu1_1", "pool1")
    ]
    together = objective(Term(network="vgg19", layers={"relu1_1": 3.0, "pool1": 0.25})).measure(images, ROWS)[
        :, 0
    ]
    torch.testing.assert_close(together, 3.0 * separate[0] + 0.25 * separate[1])


def test_a_grey_image_gets_three_times_the_mean_of_the_gradients_of_its_copies() -> None:
    """Wallis et al. 2017 copy a grey image and average the gradients: only a uniform factor differs."""
    grey, source = pictures(2, seed=1)[:, :1], pictures(2, seed=2)[:, :1]
    plain, copied = (
        Objective((SHALLOW,), SoftPenalty(penalty=0.0), BatchSources(images, ROWS))
        for images in (source, source.repeat(1, 3, 1, 1))
    )
    found, three = plain(grey, ROWS), copied(grey.repeat(1, 3, 1, 1), ROWS)
    torch.testing.assert_close(found.parts, three.parts)
    averaged = three.gradient.mean(dim=1, keepdim=True)
    torch.testing.assert_close(found.gradient, 3 * averaged, rtol=1e-4, atol=1e-9)


def test_a_source_is_its_own_minimum() -> None:
    evaluation = objective(SHALLOW, penalty=1.0)(pictures(2), ROWS)
    assert evaluation.parts.abs().max() < 1e-9
    assert evaluation.gradient.abs().max() < 1e-6


@pytest.mark.parametrize("term", [SHALLOW, Term(depth="scale3"), Term(depth="scale2", regions="2x2")])
def test_the_gradient_is_the_directional_derivative(term: Term) -> None:
    images, direction = pictures(2, seed=1).double(), pictures(2, seed=2).double() - 0.5
    target = Objective(
        (term,), SoftPenalty(penalty=1.0), BatchSources(pictures(2).double(), ROWS), torch.float64
    )
    # Short, because a unit whose rectification switches on the way is an error.
    step = 1e-7
    ahead = target.measure(images + step * direction, ROWS).sum(1)
    behind = target.measure(images - step * direction, ROWS).sum(1)
    slope = (target(images, ROWS).gradient * direction).flatten(1).sum(1)
    torch.testing.assert_close(slope, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-8)


def test_each_image_is_compared_with_its_own_source() -> None:
    crossed = objective(SHALLOW, which=(1, 0)).measure(pictures(2).flip(0), ROWS)
    assert crossed.abs().max() < 1e-9
    assert objective(SHALLOW, which=(1, 0)).measure(pictures(2), ROWS)[:, 0].min() > 1e-4


def test_rows_choose_the_targets() -> None:
    target = objective(SHALLOW, which=(0, 1, 0, 1))
    images = pictures(4, seed=1)
    whole = target.measure(images, torch.arange(4))
    part = target.measure(images[[3, 0]], torch.tensor([3, 0]))
    assert torch.equal(part, whole[[3, 0]])


def test_the_range_penalty_is_the_mean_squared_excess() -> None:
    images = torch.full((2, 3, 24, 24), 1.5)
    images[1] = -0.25
    found = objective(SHALLOW, penalty=4.0).measure(images, ROWS)[:, -1]
    torch.testing.assert_close(found, torch.tensor([4 * 0.25, 4 * 0.0625]))
    assert objective(SHALLOW, penalty=4.0).measure(pictures(2), ROWS)[:, -1].max() == 0.0


def test_depth_is_written_out() -> None:
    assert Term(network="vgg19", depth="pool2").layer_weights == pytest.approx(
        dict.fromkeys(("relu1_1", "pool1", "pool2"), 1 / 3)
    )
    assert list(Term(network="vgg19", depth="conv3_1").layer_weights) == ["conv1_1", "conv2_1", "conv3_1"]
    assert list(Term(network="vgg19", depth="relu2_1").layer_weights) == ["relu1_1", "relu2_1"]
    assert Term(network="vgg19", depth="pool2").recipe({}) == Term(
        network="vgg19", layers=["pool2", "relu1_1", "pool1"]
    ).recipe({})


def test_every_depth_ends_with_itself() -> None:
    network = Vgg19()
    for depth, layers in network.depths().items():
        assert layers[-1] == depth
        assert set(layers) <= set(network.layers())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"depth": "pool1", "layers": ["pool1"]},
        {"layers": []},
        {"layers": ["pool1", "pool1"]},
        {"depth": "pool9"},
    ],
)
def test_impossible_terms_are_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        Term(network="vgg19", **fields)


def test_scales_go_down_to_64_pixels() -> None:
    each = SynthesisSettings().evaluations
    assert SynthesisSettings().schedule(256, 256) == [(64, 64, each), (128, 128, each), (256, 256, each)]
    assert SynthesisSettings().schedule(128, 192) == [(64, 96, each), (128, 192, each)]
    assert SynthesisSettings().schedule(100, 100) == [(100, 100, each)]
    assert SynthesisSettings(scales=1, evaluations=[7]).schedule(256, 256) == [(256, 256, 7)]
    assert SynthesisSettings(scales=3, evaluations=[1, 2, 3]).schedule(41, 20) == [
        (10, 5, 1),
        (20, 10, 2),
        (41, 20, 3),
    ]
    with pytest.raises(StimgenError, match="2 scales"):
        SynthesisSettings(evaluations=[1, 2, 3]).schedule(128, 128)


def test_the_smallest_size_is_named_and_true() -> None:
    method = ObjectiveMethod(
        terms=(Term(network="vgg19", depth="pool3", regions="2x3"),), synthesis=SynthesisSettings(scales=2)
    )
    with pytest.raises(StimgenError, match="the smallest is 48 pixels"):
        method.check((64, 46, 3))
    method.check((64, 48, 3))


def test_start_noise_is_shared_by_conditions_and_differs_between_seeds_and_sources() -> None:
    def noise(sha: str, seed: int) -> np.ndarray:
        return NormalNoise().pixels((32, 32, 3), (sha, seed), None)

    assert np.array_equal(noise("a", 1), noise("a", 1))
    assert not np.array_equal(noise("a", 1), noise("a", 2))
    assert not np.array_equal(noise("a", 1), noise("b", 1))
    assert noise("a", 1).mean() == pytest.approx(0.5, abs=0.02)
    assert noise("a", 1).std() == pytest.approx(0.2, abs=0.02)
    assert noise("a", 1).dtype == np.float32


def test_a_start_image_takes_the_channels_of_the_source() -> None:
    start = ImageStart(file="x.png")
    colour = np.random.default_rng(0).random((4, 4, 3), dtype=np.float32)
    assert start.pixels((4, 4, 1), ("", 0), colour).shape == (4, 4, 1)
    grey = colour[:, :, :1]
    assert np.array_equal(start.pixels((4, 4, 3), ("", 0), grey), np.repeat(grey, 3, axis=2))
    with pytest.raises(StimgenError):
        start.pixels((5, 4, 3), ("", 0), colour)


def test_shrinking_and_enlarging_keep_a_ramp() -> None:
    ramp = torch.linspace(0, 1, 32).expand(2, 3, 32, 32)
    small = shrink_images(ramp, 16, 16)
    assert small.shape == (2, 3, 16, 16)
    inner = enlarge_images(small, 32, 32)[..., 6:-6]
    torch.testing.assert_close(inner, ramp[..., 6:-6], atol=5e-3, rtol=0)


def run(method: ObjectiveMethod, batch: SynthesisBatch):
    seen = []
    return run_generator(method.run(batch, CPU), seen.append), seen


def items(count: int) -> list[SynthesisItem]:
    sources = pictures(2, 32).permute(0, 2, 3, 1).numpy()
    return [
        SynthesisItem(
            sources[i % 2],
            NormalNoise().pixels((32, 32, 3), (str(i % 2), i), None),
            str(i % 2),
            (str(i % 2), i),
        )
        for i in range(count)
    ]


METHOD = ObjectiveMethod(terms=(SHALLOW,), synthesis=SynthesisSettings(scales=2, evaluations=8))


def test_steps_and_traces_tell_every_evaluation() -> None:
    result, steps = run(METHOD, SynthesisBatch(items(3), 3))
    assert [(step.scale, step.evaluation) for step in steps] == [(i // 8, i + 1) for i in range(16)]
    assert {step.total for step in steps} == {16}
    for i, trace in enumerate(result.traces):
        assert [step.losses[i] for step in steps] == [line.losses.total for line in trace]
        assert trace[-1].losses.total < 0.5 * result.start[i].total
        assert set(trace[0].losses.parts) == {"term_1", "range"}
    end = result.measure(result.images)
    for i, losses in enumerate(end):
        best = min(line.losses.total for line in result.traces[i] if line.scale == 1)
        assert losses.total == pytest.approx(best, rel=1e-5)


def test_padding_a_batch_changes_nothing() -> None:
    alone, _ = run(METHOD, SynthesisBatch(items(1), 2))
    padded, _ = run(METHOD, SynthesisBatch(items(1), 5))
    among, _ = run(METHOD, SynthesisBatch(items(4), 4))
    assert np.array_equal(alone.images[0], padded.images[0])
    assert np.array_equal(alone.images[0], among.images[0])
    assert alone.traces[0] == among.traces[0]
    assert alone.start[0] == padded.start[0] == among.start[0]
