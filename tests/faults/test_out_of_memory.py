"""Out of memory: fewer stimuli are made at once, the same set, and nothing half-written."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stimgen.cli.display import ProgressDisplay
from stimgen.execution.batch import run_batch
from stimgen.execution.context import RunContext
from stimgen.execution.memory import MemoryLimit
from stimgen.execution.progress import RunProgress, ignore_progress
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch
from stimgen.synthesis.objective import Objective
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """\
name: tiny
sources:
  - {file: photo.png, size: 16}
synthesis: {scales: 1, evaluations: 3}
conditions:
  - {id: texture, network: vgg19, layers: [relu1_1]}
  - {id: deeper, network: vgg19, layers: [relu1_2]}
seeds: [1, 2, 3, 4, 5]
"""
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError("Unable to allocate 8.00 GiB for an array"),
]


def write_protocol(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    levels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(levels).save(folder / "photo.png")
    (folder / "tiny.yaml").write_text(PROTOCOL)
    return folder


def make(folder: Path, report: Callable[[RunProgress], None] | None = None) -> RunProgress:
    return generate_set(
        load_protocol(folder / "tiny.yaml"), folder / "set", GenerateOptions("cpu", 5), report
    )


def memory_notices(progress: RunProgress) -> list[str]:
    """Return the notices about memory; others say that so small pictures have more parameters than pixels."""
    return [notice for notice in progress.notices if "memory" in notice]


def snapshot(folder: Path) -> dict[str, Any]:
    """Return all that must be equal: every file but those that tell when and where, and records' contents."""
    told = (MANIFEST, CHECKSUMS, INDEX)
    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in (folder / "set").rglob("*")
        if file.is_file() and file.parts[-3] != "records" and file.name not in told
    }
    return files | {r.content.id: r.content for r in Store(folder / "set").read_records()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_protocol(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = write_protocol(tmp_path_factory.mktemp("undisturbed"))
    assert memory_notices(make(folder)) == []
    return snapshot(folder)


class Small:
    """A memory that holds `most` images; the second evaluation of more than that fails.

    Attributes
    ----------
    tried : list of int
        Images of every evaluation.
    kept : int
        The most objectives that were there at once.
    """

    def __init__(self, most: int, error: Exception) -> None:
        self.tried: list[int] = []
        self.kept = 0
        self._error = error
        self.holds(most)
        self._objectives: weakref.WeakSet[Objective] = weakref.WeakSet()
        self._real = Objective.__call__

    def holds(self, most: int) -> None:
        self._most = most

    def evaluate(self, objective: Objective, images: Tensor, rows: Tensor) -> Evaluation:
        again = objective in self._objectives
        self._objectives.add(objective)
        self.kept = max(self.kept, len(self._objectives))
        self.tried.append(len(images))
        if again and len(images) > self._most:
            # A new one, because an error that is kept keeps whatever was under way.
            raise type(self._error)(*self._error.args)
        return self._real(objective, images, rows)

    def put_in(self, monkeypatch: pytest.MonkeyPatch) -> Small:
        monkeypatch.setattr(Objective, "__call__", lambda *arguments: self.evaluate(*arguments))
        return self


class TestFewerAtOnce:
    """Generation goes on by itself."""

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:20])
    def test_the_set_is_the_undisturbed_one(
        self,
        folder: Path,
        undisturbed: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
    ) -> None:
        Small(2, error).put_in(monkeypatch)
        progress = make(folder)
        assert (progress.made, progress.failures) == (10, [])
        assert snapshot(folder) == undisturbed
        assert verify_set(Store(folder / "set")).problems == []

    def test_the_size_is_remembered_and_recorded(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small = Small(2, ERRORS[0]).put_in(monkeypatch)
        progress = make(folder)
        # Two conditions of three parts with three evaluations each.
        assert small.tried == [5, 5] + 2 * 3 * 3 * [2]
        assert memory_notices(progress) == [
            "not enough memory on cpu for 5 stimuli of 'texture' at once: going on with 2"
        ]
        made = [(r.made.batch_size, r.made.slots) for r in Store(folder / "set").read_records()]
        assert sorted(made) == [(1, 2)] * 2 + [(2, 2)] * 8

    def test_what_the_attempt_held_is_given_back(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small = Small(2, ERRORS[0]).put_in(monkeypatch)
        make(folder)
        assert small.kept == 1

    def test_progress_counts_parts_of_a_batch(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Small(2, ERRORS[0]).put_in(monkeypatch)
        seen: list[float] = []
        make(folder, lambda progress: seen.append(progress.made + progress.under_way))
        # Parts of two, two and one of five; the attempt that failed had come to a third.
        expected = np.array([5, 0, 2, 4, 6, 8, 10, 12, 13, 14, 15, 15]) / 3
        assert seen[: len(expected)] == pytest.approx(expected)


class TestNoRoom:
    """Not even two images fit."""

    def test_the_error_says_what_they_need(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small = Small(1, ERRORS[1]).put_in(monkeypatch)
        with pytest.raises(
            StimgenError, match="not enough memory on cpu for 2 stimuli of 'texture'"
        ) as caught:
            make(folder)
        assert "`stimgen plan` predicts" in str(caught.value)
        assert str(caught.value.__cause__) == str(ERRORS[1])
        assert small.tried == [5, 5, 2, 2]

    def test_nothing_is_half_written(
        self, folder: Path, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two fit at first, and later, say because others need memory too, they do not."""
        small = Small(2, ERRORS[0])
        with monkeypatch.context() as patch:
            small.put_in(patch)
            with pytest.raises(StimgenError, match="what is finished is kept"):
                make(folder, lambda progress: small.holds(1 if progress.under_way > 2.5 else 2))
        found = Store(folder / "set")
        assert {record.content.seed for record in found.read_records()} == {1, 2}
        assert not any("writing" in file.name for file in found.folder.rglob("*"))
        assert all("is missing" in problem for problem in verify_set(found).problems)
        assert json.loads(found.read(MANIFEST))["complete"] is False
        assert make(folder).made == 8
        assert snapshot(folder) == undisturbed

    def test_other_errors_are_not_disguised(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Small(2, RuntimeError("shapes do not fit")).put_in(monkeypatch)
        with pytest.raises(RuntimeError, match="shapes do not fit") as caught:
            make(folder)
        assert caught.value.__cause__ is None


class TestOnAGpu:
    """Slots are halved, and every batch is padded to what is left."""

    def test_slots(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = make_plan(load_protocol(folder / "tiny.yaml"))
        seen: list[tuple[int, int]] = []

        def run(_: ObjectiveMethod, batch: SynthesisBatch, __: torch.device) -> None:
            seen.append((len(batch.items), batch.slots))
            raise KeyboardInterrupt if batch.slots <= 4 else ERRORS[0]

        monkeypatch.setattr(ObjectiveMethod, "run", run)
        store = Store.create(folder / "set")
        context, progress = RunContext(plan, store, torch.device("cuda"), 16), RunProgress()
        with pytest.raises(KeyboardInterrupt):
            run_batch(plan.stimuli[:5], context, progress, ignore_progress)
        assert seen == [(5, 16), (5, 8), (4, 4)]
        assert [notice.rpartition(" ")[2] for notice in progress.notices] == ["8", "4"]


class TestRoom:
    def test_nothing_as_large_is_tried_again(self) -> None:
        room = MemoryLimit()
        assert room.slots(16, 100) == 16
        room.halve(16, 100)
        assert [room.slots(16, size) for size in (100, 99, 50, 200, 10**9)] == [8, 8, 16, 4, 2]
        assert [room.slots(wanted, 100) for wanted in (9, 8, 3, 2)] == [4, 8, 3, 2]
        room.halve(16, 1000)
        assert room.slots(16, 100) == 8


def test_the_user_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = RunProgress(planned=2, there=0, notices=["not enough memory: going on with 2"])
    for quiet in (True, False):
        with ProgressDisplay(quiet=quiet) as display:
            display.show(progress)
            display.show(progress)
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("going on with 2\n") == 1
