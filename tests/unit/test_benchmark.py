"""What `stimgen bench` measures; no test asserts a time."""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stimgen.benchmark.batches import batch_sizes, compare_with_singles
from stimgen.benchmark.ceiling import best_rates
from stimgen.benchmark.evaluation import convolution_flops, evaluation_summary, evaluation_task
from stimgen.benchmark.memory import RESIDENT, measure_memory
from stimgen.benchmark.subject import BenchmarkSubject, texture_method
from stimgen.benchmark.timing import Times, ratio, time_interleaved
from stimgen.benchmark.workers import plan_benchmark
from stimgen.drawing.figure import check_figure_file
from stimgen.execution import pace
from stimgen.execution.pace import estimate_batch_seconds
from stimgen.reading import extras
from stimgen.reading.errors import StimgenError
from stimgen.synthesis.methods import SynthesisBatch, SynthesisResult, SynthesisStep
from stimgen.synthesis.methods.original import OriginalMethod
from stimgen.synthesis.plenoptic_model import import_plenoptic

CPU = torch.device("cpu")
SIZE = 32

# Simonyan & Zisserman (2015), table 1, E: inputs and outputs of the convolutions up to pool4, by halving.
PUBLISHED = (
    ((3, 64), (64, 64)),
    ((64, 128), (128, 128)),
    ((128, 256), (256, 256), (256, 256), (256, 256)),
    ((256, 512), (512, 512), (512, 512), (512, 512)),
)


@pytest.fixture(scope="module")
def subject() -> BenchmarkSubject:
    return BenchmarkSubject(SIZE, CPU)


def published_flops(side: int) -> int:
    """Two a multiplication, 9 multiplications an input and output and position; as many again backwards."""
    forwards = sum(
        2 * 9 * inputs * outputs * (side >> halvings) ** 2
        for halvings, block in enumerate(PUBLISHED)
        for inputs, outputs in block
    )
    return 2 * forwards


class TestFlops:
    def test_an_evaluation_at_256_pixels_is_the_92_gigaflop_of_the_documentation(self) -> None:
        assert published_flops(256) == pytest.approx(92.26e9, rel=1e-4)

    def test_are_counted_in_the_engine_as_the_published_layers_have_them(
        self, subject: BenchmarkSubject
    ) -> None:
        # Everything is proportional to the area, so that the count at 32 pixels is that at 256 over 64.
        found = convolution_flops(evaluation_task(subject))
        assert found == published_flops(SIZE)
        assert found * 64 == published_flops(256)


class TestTiming:
    def test_tasks_take_turns_after_a_first_time_that_is_not_counted(self) -> None:
        done: list[str] = []
        found = time_interleaved({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3, CPU)
        assert done == ["a", "b"] * 4
        assert [len(times.seconds) for times in found.values()] == [3, 3]

    def test_minimum_and_median_are_stated(self) -> None:
        assert Times((3.0, 1.0, 2.0)).to_dict() == {"minimum": 1.0, "median": 2.0, "all": [3.0, 1.0, 2.0]}

    def test_the_best_side_makes_the_ceiling(self) -> None:
        times = {
            "float32 10 matrix": Times((2.0, 1.0)),
            "float32 20 matrix": Times((8.0,)),
            "float32 20 convolution": Times((4.0,)),
            "engine float32": Times((1e-9,)),
            "bfloat16 10 matrix": Times((0.5,)),
        }
        found = best_rates(times)
        assert {
            kind: (best["way"], best["side"], best["flops_per_second"]) for kind, best in found.items()
        } == {
            "float32": ("convolution", 20, 4000.0),
            "bfloat16": ("matrix", 10, 4000.0),
        }

    def test_a_share_is_made_of_two_rates(self) -> None:
        found = evaluation_summary(100, Times((0.5, 0.25)), {"flops_per_second": 800.0})
        assert found["share_of_ceiling"] == {"ratio": 0.5, "numerator": 400.0, "denominator": 800.0}


class TestBatches:
    def test_singles_are_compared_with_as_many_together(self) -> None:
        rows = [{"stimuli": n, "seconds": {"minimum": s}} for n, s in ((1, 2.0), (8, 4.0), (64, 1.0))]
        assert compare_with_singles(rows) == {"stimuli": 8, **ratio(16.0, 4.0)}

    def test_gpus_are_given_more(self) -> None:
        assert max(batch_sizes("cuda", quick=False)) == 64
        assert max(batch_sizes("cpu", quick=False)) == 8

    def test_a_batch_is_made_as_generate_makes_it(self, subject: BenchmarkSubject) -> None:
        method = texture_method(2)
        assert subject.batch(method, 1).slots == 2
        batch = subject.batch(method, 3)
        assert batch.slots == 3
        assert len({item.start.tobytes() for item in batch.items}) == 3
        assert len({item.source_key for item in batch.items}) == 1
        assert estimate_batch_seconds(method, batch, CPU, probed=2) > 0

    def test_a_few_evaluations_of_every_scale_stand_for_all(
        self, subject: BenchmarkSubject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A clock that ticks once whenever it is looked at, which is after every evaluation.
        monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=partial(next, count())))
        for method, evaluations in ((texture_method(50), 50), (Steps(), 300)):
            assert estimate_batch_seconds(method, subject.batch(method, 2), CPU, probed=3) == evaluations


class Steps(OriginalMethod):
    """A method of two scales that counts what it is asked to do."""

    each: tuple[int, int] = (100, 200)

    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        return [(width, height, evaluations) for evaluations in self.each]

    def limit_evaluations(self, evaluations: int) -> Steps:
        return self.replace(each=(evaluations, evaluations))

    def run(
        self, batch: SynthesisBatch, device: torch.device
    ) -> Generator[SynthesisStep, None, SynthesisResult]:
        assert self.each == (3, 3)
        for scale, evaluations in enumerate(self.each):
            for i in range(evaluations):
                both = np.arange(2)
                yield SynthesisStep(
                    i, sum(self.each), np.zeros(2), both, np.zeros((2, 1)), torch.zeros(2), scale
                )
        return (yield from super().run(batch, device))


class TestMemory:
    @pytest.mark.skipif(not RESIDENT.exists(), reason="no shared way to ask this system for memory")
    def test_has_a_peak_beside_the_prediction(self, subject: BenchmarkSubject) -> None:
        found = measure_memory(subject, 1, 1)
        assert found["slots"] == 2
        assert found["predicted"] == 2 * texture_method(1).estimate_memory(SIZE, SIZE, 3)
        assert found["peak"] > 0
        assert found["ratio"] == found["peak"] / found["predicted"]

    def test_is_left_out_where_it_cannot_be_asked_for(
        self, subject: BenchmarkSubject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stimgen.benchmark.memory.RESIDENT", Path(os.devnull) / "none")
        found = measure_memory(subject, 1, 1)
        assert found["peak"] is None
        assert found["ratio"] is None


class TestExtras:
    def test_a_missing_package_is_named_with_its_extra(self) -> None:
        with pytest.raises(
            StimgenError, match=r"`--x` needs nowhere_at_all, which is not installed"
        ) as caught:
            extras.import_optional("nowhere_at_all.figure", "analysis", "`--x`")
        assert 'pip install "stimgen[analysis]"' in str(caught.value)

    def test_plenoptic_and_matplotlib(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def missing(module: str) -> None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module.partition(".")[0])

        monkeypatch.setattr(extras, "import_module", missing)
        with pytest.raises(StimgenError, match=r"needs plenoptic, which is not installed") as caught:
            import_plenoptic("`--x`")
        assert "stimgen[plenoptic]" in str(caught.value)
        with pytest.raises(StimgenError, match=r"needs matplotlib, which is not installed") as caught:
            check_figure_file(tmp_path / "a.png", "`--x`")
        assert "stimgen[analysis]" in str(caught.value)

    def test_a_figure_is_refused_before_anything_is_measured(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError) as caught:
            check_figure_file(tmp_path / "a.pgn", "`--x`")
        assert "did you mean 'png'?" in str(caught.value)
        with pytest.raises(StimgenError) as caught:
            check_figure_file(tmp_path / "none" / "a.png", "`--x`")
        assert str(tmp_path / "none") in str(caught.value)


def test_workers_make_the_quick_starts_texture(subject: BenchmarkSubject, tmp_path: Path) -> None:
    plan = plan_benchmark(tmp_path, subject, workers=3, evaluations=2)
    (condition,) = plan.conditions
    assert condition.method == texture_method(2)
    assert len(plan.stimuli) == 3 * 4 * 2  # four batches of two for each
