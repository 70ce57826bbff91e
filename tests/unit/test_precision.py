"""Mixed precision: which evaluations are rough, how they are counted, and where they lead."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stimgen.images.prepare import Preparation
from stimgen.images.read import find_skimage_file, read_image_file
from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import (
    ObjectiveMethod,
    SynthesisBatch,
    SynthesisItem,
    SynthesisResult,
    SynthesisStep,
)
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

SIDE = 32
Sizes = st.integers(16, 700)


@given(Sizes, Sizes, st.sampled_from(["auto", 1, 2, 3]), st.integers(1, 500))
def test_stages_in_one_precision_are_the_schedule(
    width: int, height: int, scales: int | str, count: int
) -> None:
    synthesis = SynthesisSettings(scales=scales, evaluations=count)
    found = [(s.width, s.height, s.evaluations) for s in synthesis.stages(width, height)]
    assert found == synthesis.schedule(width, height)
    assert {stage.dtype for stage in synthesis.stages(width, height)} == {torch.float32}


@given(Sizes, Sizes, st.sampled_from(["auto", 1, 2, 3]), st.integers(1, 500))
def test_mixed_stages_divide_the_schedule(width: int, height: int, scales: int | str, count: int) -> None:
    synthesis = SynthesisSettings(scales=scales, evaluations=count, precision="mixed")
    stages = synthesis.stages(width, height)
    *rough, precise = stages
    assert all(stage.evaluations > 0 for stage in stages)
    for w, h, evaluations in synthesis.schedule(width, height):
        assert sum(s.evaluations for s in stages if (s.width, s.height) == (w, h)) == evaluations
    assert {stage.dtype for stage in rough} <= {torch.bfloat16}
    assert (precise.width, precise.height, precise.dtype) == (width, height, torch.float32)
    # A quarter of the finest scale, rounded up.
    assert precise.evaluations == (count + 3) // 4


def items(count: int) -> list[SynthesisItem]:
    names = ("coffee", "chelsea")
    sources = [Preparation(size=SIDE).prepare(read_image_file(find_skimage_file(name))) for name in names]
    return [
        SynthesisItem(
            sources[i % 2],
            NormalNoise().pixels((SIDE, SIDE, 3), (names[i % 2], i), None),
            names[i % 2],
            (names[i % 2], i),
        )
        for i in range(count)
    ]


def run(method: ObjectiveMethod, batch: SynthesisBatch) -> tuple[SynthesisResult, list[SynthesisStep]]:
    seen = []
    return run_generator(method.run(batch, torch.device("cpu")), seen.append), seen


def method(precision: str, evaluations: int = 22, **fields: object) -> ObjectiveMethod:
    synthesis = SynthesisSettings(scales=2, evaluations=evaluations, precision=precision)
    return ObjectiveMethod(terms=(Term(**{"depth": "scale2", **fields}),), synthesis=synthesis)


def test_evaluations_are_numbered_on_through_the_stages_of_a_scale() -> None:
    result, steps = run(method("mixed"), SynthesisBatch(items(3), 3))
    assert [(step.scale, step.evaluation) for step in steps] == [(i // 22, i + 1) for i in range(44)]
    assert {step.total for step in steps} == {44}
    for i, trace in enumerate(result.traces):
        assert [(line.scale, line.evaluation) for line in trace] == [(i // 22, i % 22 + 1) for i in range(44)]
        assert [line.losses.total for line in trace] == [step.losses[i] for step in steps]


def test_the_losses_of_start_and_end_are_precise() -> None:
    batch = SynthesisBatch(items(2), 2)
    mixed, _ = run(method("mixed"), batch)
    precise, _ = run(method("float32"), batch)
    assert mixed.start == precise.start
    assert mixed.measure(precise.images) == precise.measure(precise.images)
    for trace, other in zip(mixed.traces, precise.traces, strict=True):
        assert trace[0].losses.total != other[0].losses.total
        assert trace[0].losses.total == pytest.approx(other[0].losses.total, rel=0.05)
    best = [min(line.losses.total for line in trace[-6:]) for trace in mixed.traces]
    assert [losses.total for losses in mixed.measure(mixed.images)] == pytest.approx(best, rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("fields", [{}, {"regions": "2x2"}, {"network": "vgg19", "depth": "pool2"}])
def test_mixed_ends_near_where_float32_ends(fields: dict[str, str]) -> None:
    batch = SynthesisBatch(items(4), 4)
    ends = {}
    for precision in ("float32", "mixed"):
        result, _ = run(method(precision, 60, **fields), batch)
        ends[precision] = np.array([losses.total for losses in result.measure(result.images)])
        assert (ends[precision] < 1e-3 * np.array([losses.total for losses in result.start])).all()
    ratios = ends["mixed"] / ends["float32"]
    # Two descents that part early end apart even in one precision; found 1.0 to 1.3, and 2.7 for one image.
    assert np.exp(np.log(ratios).mean()) < 2
    assert ratios.max() < 10


@pytest.mark.long
def test_padding_a_batch_changes_nothing() -> None:
    alone, _ = run(method("mixed"), SynthesisBatch(items(1), 2))
    padded, _ = run(method("mixed"), SynthesisBatch(items(1), 5))
    among, _ = run(method("mixed"), SynthesisBatch(items(8), 8))
    for other in (padded, among):
        assert np.array_equal(alone.images[0], other.images[0])
        assert alone.traces[0] == other.traces[0]
        assert alone.start[0] == other.start[0]
