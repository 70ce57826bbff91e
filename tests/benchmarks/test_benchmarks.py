"""The scripts of this folder: what they compare, and that they run; no test asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gpu
import notebook_race
import numpy as np
import plenoptic_metamer
import pytest
import regions
import torch
import torchvision
import whole_sets
from notebook_race import Goal, notebook_objective, reach_goal
from notebook_rival import LAYERS, Notebook
from torch import Tensor, nn

from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.networks.weights import RandomWeights, StateDictSpec
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import run_generator

# Slow, and evidence for the documentation rather than part of the package.
pytestmark = pytest.mark.long

CPU = torch.device("cpu")
SIZE = 32


@pytest.fixture(scope="module")
def subject() -> BenchmarkSubject:
    return BenchmarkSubject(SIZE, CPU)


@pytest.fixture(scope="module")
def notebook(subject: BenchmarkSubject) -> Notebook:
    return Notebook(subject.source, CPU)


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
        curve = notebook.synthesize(1, 7)
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
        attempts = reach_goal(Goal(0.9 * start, notebook.measure, 20), subject)
        found = {(attempt.precision, attempt.stimuli) for attempt in attempts}
        assert found == {("float32", 1), ("float32", 2), ("mixed", 1), ("mixed", 2)}
        for attempt in attempts:
            assert attempt.loss < 0.9 * start
            assert attempt.schedule[-1][2] <= 20
            assert len(attempt.curve.losses) == sum(count for _, _, count in attempt.schedule)

    def test_a_goal_beyond_reach_ends(self, subject: BenchmarkSubject, notebook: Notebook) -> None:
        for attempt in reach_goal(Goal(0.0, notebook.measure, 2), subject):
            assert attempt.loss > 0.0
            assert attempt.schedule[-1][2] == 2


def plain_features(picture: np.ndarray) -> list[Tensor]:
    """Return maps x positions of the layers, in float64, each module on its own and none in place."""
    modules = torchvision.models.vgg19(init_weights=False).features[: max(LAYERS.values()) + 1]
    shapes = {"features." + key: tuple(value.shape) for key, value in modules.state_dict().items()}
    state, _ = RandomWeights().load_tensors(StateDictSpec("vgg19", shapes))
    modules.load_state_dict({key.removeprefix("features."): tensor for key, tensor in state.items()})
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


class TestScripts:
    def test_the_race_is_run(self, tmp_path: Path) -> None:
        """As a program, as docs/performance.md has it."""
        command = [sys.executable, str(Path(notebook_race.__file__)), "--quick", "--device", "cpu"]
        command += ["--size", "48", "--evaluations", "4", "--plot", str(tmp_path / "losses.png")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
        found = json.loads(done.stdout)
        reference = found["reference"]
        assert len(reference["losses"]) == len(reference["seconds"]) == 4
        assert reference["loss"] == min(reference["losses"])
        assert found["evaluation"].keys() == {"seconds", "to_float32", "to_mixed"}
        for attempt in found["engine"]:
            self.check_attempt(attempt, reference)

    def check_attempt(self, attempt: dict[str, Any], reference: dict[str, Any]) -> None:
        assert attempt["reached"] is (attempt["loss"] < reference["loss"])
        assert (attempt["to_same_loss"] is not None) is attempt["reached"]
        if attempt["reached"]:
            assert attempt["to_same_loss"]["denominator"] == attempt["seconds"] / attempt["stimuli"]
            assert attempt["to_same_loss"]["numerator"] == reference["seconds_to_lowest"]

    def test_plenoptic_is_timed_beside_a_texture(self) -> None:
        options = ["--device", "cpu", "--size", "128", "--iterations", "4", "--evaluations", "2"]
        command = [sys.executable, str(Path(plenoptic_metamer.__file__)), *options]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert found["to_texture"]["numerator"] == found["metamer"]["seconds"]
        assert found["to_texture"]["denominator"] == found["texture"]["seconds"]

    def test_what_cannot_be_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match=r"`--size`: 64 is out of range \(128 to 400\)"):
            plenoptic_metamer.main(["--size", "64"])
        with pytest.raises(StimgenError, match="`--evaluations`: 0 is out of range"):
            notebook_race.main(["--evaluations", "0"])
        with pytest.raises(StimgenError, match="--plot"):
            notebook_race.main(["--plot", str(tmp_path / "none" / "a.png")])


def test_the_script_for_a_gpu_measures_every_part(tmp_path: Path) -> None:
    found = gpu.main(["--quick", "--device", "cpu", "-o", str(tmp_path / "gpu.json")])
    assert json.loads((tmp_path / "gpu.json").read_text()) == json.loads(json.dumps(found))
    assert not [name for name in gpu.PARTS if "failed" in found[name]]
    assert found["sameness"]["identical"] == found["sameness"]["stimuli"] == 2
    assert found["sameness"]["identical_with_4_slots"] == 2
    assert found["members"].items() >= {"same_bits": 5, "other_bits": [], "refused": {}}.items()
    (ways,) = (each for name, each in found["graphs"].items() if name != "seconds_needed")
    assert set(ways) == {"as_it_is", "compiled"}
    assert ways["compiled"]["largest_difference"] == 0.0
    assert found["sameness"]["loss_compared_with_processor"] == {"texture": 1.0}
    assert set(found["ceiling"]["peak_flops_per_second"]) == {"float32", "bfloat16", "tf32"}


def test_whole_sets_are_measured_in_one_process_and_in_several() -> None:
    """As a program, because processes import it."""
    command = [sys.executable, str(Path(whole_sets.__file__)), "--quick", "--processes", "2"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    whole, run = found["large_set"], found["run"]
    assert whole["stimuli"] == 2000
    for what in ("derive", "verify"):
        assert all(whole[f"{what}_{processes}"]["of_this_process"] > 0 for processes in (1, 2))
    assert 0.0 < run["evaluations"] < run["optimiser_and_evaluations"] < run["batches"]


def test_the_table_of_regions_has_a_row_for_each_layout(capsys: pytest.CaptureFixture[str]) -> None:
    regions.main(["--size", "64", "--repeats", "1", "--layouts", "1x1", "4x4"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["regions"] for row in rows.values()] == [1, 16]
    assert all(row["peak"] > 0 and row["tensors"] > 0 for row in rows.values())
