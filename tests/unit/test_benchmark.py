"""What is measured, and what it is measured against; no test asserts a time."""

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
import torchvision
from torch import Tensor, nn

from stimgen.benchmark.batches import batch_sizes, compare_with_singles
from stimgen.benchmark.ceiling import best_rates
from stimgen.benchmark.evaluation import convolution_flops, evaluation_summary, evaluation_task
from stimgen.benchmark.memory import RESIDENT, measure_memory
from stimgen.benchmark.notebook import LAYERS, Curve, Notebook
from stimgen.benchmark.plenoptic import require_plenoptic
from stimgen.benchmark.plot import plot_losses, require_plot
from stimgen.benchmark.reference_loss import Goal, notebook_objective, reach
from stimgen.benchmark.subject import BenchmarkSubject, texture_method
from stimgen.benchmark.timing import Times, ratio, time_interleaved
from stimgen.benchmark.workers import plan_benchmark
from stimgen.execution import pace
from stimgen.execution.pace import estimate_batch_seconds
from stimgen.networks.weights import RandomWeights, StateDictSpec
from stimgen.reading import extras
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import run_generator
from stimgen.synthesis.methods import SynthesisBatch, SynthesisResult, SynthesisStep
from stimgen.synthesis.methods.original import OriginalMethod

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


@pytest.fixture(scope="module")
def notebook(subject: BenchmarkSubject) -> Notebook:
    return Notebook(subject.source, CPU)


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


class TestNotebook:
    def test_its_loss_is_the_formula_of_its_description(
        self, subject: BenchmarkSubject, notebook: Notebook
    ) -> None:
        """Layer by layer through modules of our own, in float64."""
        other = np.flip(subject.source, axis=(0, 1)).copy()
        expected = 0.0
        for f, g in zip(plain_features(subject.source), plain_features(other), strict=True):
            n, m = f.shape
            expected += 1e9 / (4 * n**2 * m**2) * float((f @ f.T - g @ g.T).square().sum())
        assert notebook.measure(other) == pytest.approx(expected, rel=1e-4)

    def test_is_nothing_at_the_source(self, subject: BenchmarkSubject, notebook: Notebook) -> None:
        assert notebook.measure(subject.source) == 0.0

    def test_takes_gradients_of_weights_and_runs_the_classifier(self, notebook: Notebook) -> None:
        notebook.evaluate()
        model = notebook._model
        first = model.get_submodule("features.0").weight
        assert isinstance(first, Tensor)
        assert first.grad is not None
        assert first.grad.abs().sum() > 0
        seen: list[tuple[int, ...]] = []
        handle = model.get_submodule("classifier").register_forward_hook(
            lambda _module, _given, found: seen.append(tuple(found.shape))
        )
        notebook.evaluate()
        handle.remove()
        assert seen == [(1, 1000)]

    def test_its_optimiser_lowers_it_and_ends_where_it_was_told(self, notebook: Notebook) -> None:
        curve = notebook.synthesise(1, 7)
        assert len(curve.losses) == len(curve.seconds) == 7
        assert min(curve.losses) < curve.losses[0]
        assert curve.seconds == sorted(curve.seconds)
        assert curve.losses[curve.lowest] == min(curve.losses)


class TestReferenceLoss:
    def test_both_sides_have_one_objective(self, subject: BenchmarkSubject, notebook: Notebook) -> None:
        """The engine's whole objective at pictures of both kinds, against the notebook's."""
        method = notebook_objective(1)
        result = run_generator(method.run(subject.batch(method, 1), CPU))
        noise = subject.batch(method, 1).items[0].start
        for picture in (noise, np.flip(subject.source, axis=0).copy(), np.full_like(noise, 1.5)):
            (losses,) = result.measure([picture])
            assert losses.total == pytest.approx(notebook.measure(picture), rel=1e-4)

    def test_a_goal_is_reached_and_judged_by_the_notebook(
        self, subject: BenchmarkSubject, notebook: Notebook
    ) -> None:
        method = notebook_objective(1)
        start = notebook.measure(subject.batch(method, 1).items[0].start)
        attempts = reach(Goal(0.9 * start, notebook.measure, 20), subject)
        found = {(attempt.precision, attempt.stimuli) for attempt in attempts}
        assert found == {("float32", 1), ("float32", 2), ("mixed", 1), ("mixed", 2)}
        for attempt in attempts:
            assert attempt.loss < 0.9 * start
            assert attempt.schedule[-1][2] <= 20
            assert len(attempt.curve.losses) == sum(count for _, _, count in attempt.schedule)

    def test_a_goal_beyond_reach_ends(self, subject: BenchmarkSubject, notebook: Notebook) -> None:
        for attempt in reach(Goal(0.0, notebook.measure, 2), subject):
            assert attempt.loss > 0.0
            assert attempt.schedule[-1][2] == 2


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
            require_plenoptic(256)
        assert "stimgen[plenoptic]" in str(caught.value)
        with pytest.raises(StimgenError, match=r"needs matplotlib, which is not installed") as caught:
            require_plot(tmp_path / "a.png")
        assert "stimgen[analysis]" in str(caught.value)

    def test_a_plot_is_refused_before_anything_is_measured(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match="no format of pictures") as caught:
            require_plot(tmp_path / "a.pgn")
        assert "did you mean 'png'?" in str(caught.value)
        with pytest.raises(StimgenError, match="no such folder"):
            require_plot(tmp_path / "none" / "a.png")

    def test_a_plot_is_drawn(self, tmp_path: Path) -> None:
        plot_losses(tmp_path / "a.png", {"a": Curve([0.1, 0.2], [2.0, 1.0])}, 1.0)
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def plain_features(picture: np.ndarray) -> list[Tensor]:
    """Return maps x positions of the layers, in float64, each module on its own and none in place."""
    modules = torchvision.models.vgg19(init_weights=False).features[: max(LAYERS.values()) + 1]
    shapes = {"features." + key: tuple(value.shape) for key, value in modules.state_dict().items()}
    state, _ = RandomWeights().load_tensors(StateDictSpec("vgg19", "features.", shapes))
    modules.load_state_dict(state)
    modules.double()
    mean, deviation = (torch.tensor(v).double() for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    maps = ((torch.from_numpy(picture).double() - mean) / deviation).permute(2, 0, 1).unsqueeze(0)
    found = []
    with torch.no_grad():
        for place, module in enumerate(modules):
            if isinstance(module, nn.ReLU):
                module.inplace = False
            maps = module(maps)
            if place in LAYERS.values():
                found.append(maps[0].flatten(1))
    return found


def test_workers_make_the_quick_starts_texture(subject: BenchmarkSubject, tmp_path: Path) -> None:
    plan = plan_benchmark(tmp_path, subject, workers=3, evaluations=2)
    (condition,) = plan.conditions
    assert condition.method == texture_method(2)
    assert len(plan.stimuli) == 3 * 4 * 2  # four batches of two for each
