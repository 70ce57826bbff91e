"""Devices, the forming of batches, and what a record says of the batch."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.execution.batch import form_batches, run_batch, write_originals
from stimgen.execution.context import RunContext
from stimgen.execution.device import available_devices, device_name, find_device
from stimgen.execution.progress import RunProgress, ignore_progress
from stimgen.execution.writer import format_trace
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.methods import Losses, ObjectiveMethod, SynthesisBatch, TraceEntry
from stimgen.workflow.generate import MAX_BATCH_SIZE, GenerateOptions, generate_set

PROTOCOL = """\
name: tiny
sources:
  - {file: a.png, size: 16}
  - {file: b.png, size: 16}
  - {file: c.png, size: 12}
synthesis: {scales: 1, evaluations: 2}
conditions:
  - {id: one, layers: [relu1_1]}
  - {id: two, layers: [relu1_2]}
seeds: {first: 1, count: 3}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(rng.integers(0, 256, (20, 20), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "tiny.yaml").write_text(PROTOCOL)
    return tmp_path


@pytest.fixture
def plan(folder: Path) -> ProtocolPlan:
    return make_plan(load_protocol(folder / "tiny.yaml"))


class TestDevices:
    """Which device is meant, and whether it is there."""

    def test_the_cpu_is_always_there(self) -> None:
        assert available_devices()[0] == "cpu"
        assert find_device("cpu") == torch.device("cpu")
        assert device_name(torch.device("cpu")) == "cpu"

    @pytest.mark.parametrize(
        ("gpus", "mps", "name", "found"),
        [
            (0, False, "auto", "cpu"),
            (0, True, "auto", "cpu"),
            (0, True, "mps", "mps"),
            (2, False, "auto", "cuda:0"),
            (2, False, "cuda", "cuda:0"),
            (2, False, "cuda:1", "cuda:1"),
            (2, False, "cpu", "cpu"),
        ],
    )
    def test_names(
        self, monkeypatch: pytest.MonkeyPatch, gpus: int, mps: bool, name: str, found: str
    ) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        assert find_device(name) == torch.device(found)

    @pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7", "mps"])
    def test_one_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        with pytest.raises(StimgenError, match=f"there is no device '{name}' here") as caught:
            find_device(name)
        assert "allowed: auto, cpu" in str(caught.value)

    @pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "meta", "xla"])
    def test_a_word_that_is_none(self, name: str) -> None:
        with pytest.raises(StimgenError, match="is not a device"):
            find_device(name)

    def test_a_mistyped_one_gets_the_nearest_match(self) -> None:
        with pytest.raises(StimgenError) as caught:
            find_device("cpuu")
        assert "did you mean 'cpu'?" in str(caught.value)


class TestBatches:
    """Stimuli of one condition and one shape, in their order."""

    @pytest.mark.parametrize("size", [1, 2, 4, 5, 100])
    def test_each_holds_one_condition_and_one_shape(self, plan: ProtocolPlan, size: int) -> None:
        batches = form_batches(plan.stimuli, size)
        assert sorted(s.id for batch in batches for s in batch) == sorted(s.id for s in plan.stimuli)
        for batch in batches:
            assert len({(s.condition.id, s.source.shape) for s in batch}) == 1
            assert 1 <= len(batch) <= size

    def test_they_are_as_full_as_can_be_and_in_order(self, plan: ProtocolPlan) -> None:
        batches = form_batches(plan.stimuli, 4)
        assert [len(batch) for batch in batches] == [4, 2, 3, 4, 2, 3]
        names = [(s.condition.id, s.source.id, s.seed) for s in batches[0]]
        assert names == [("one", "a", 1), ("one", "a", 2), ("one", "a", 3), ("one", "b", 1)]

    def test_their_size_can_follow_from_the_shape(self, plan: ProtocolPlan) -> None:
        batches = form_batches(plan.stimuli, lambda shape: 2 if shape == (12, 12, 1) else 5)
        assert [len(batch) for batch in batches] == [5, 1, 2, 1, 5, 1, 2, 1]

    def test_of_nothing_there_are_none(self) -> None:
        assert form_batches([], 4) == []

    def test_the_size_really_used_is_recorded(self, folder: Path) -> None:
        loaded = load_protocol(folder / "tiny.yaml")
        generate_set(loaded, folder / "set", GenerateOptions("cpu", 5))
        made = {
            (r.content.condition, r.content.source.id, r.content.seed): (r.made.batch_size, r.made.slots)
            for r in Store(folder / "set").read_records()
        }
        assert made["one", "a", 1] == made["one", "b", 2] == (5, 5)
        assert made["one", "b", 3] == (1, 2)  # a lone image is computed twice
        assert made["two", "c", 2] == (3, 3)

    @pytest.mark.parametrize(
        ("kind", "chosen", "count", "expected"),
        [
            ("cpu", 6, 1, 2),
            ("cpu", 6, 5, 5),
            ("cuda", 6, 1, 6),
            ("cuda", 6, 6, 6),
            ("cuda", None, 3, 64),
            ("mps", None, 6, 64),
        ],
    )
    def test_short_batches_are_padded_on_a_gpu_and_not_on_a_cpu(
        self,
        plan: ProtocolPlan,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
        chosen: int | None,
        count: int,
        expected: int,
    ) -> None:
        seen: list[SynthesisBatch] = []

        def run(_: ObjectiveMethod, batch: SynthesisBatch, device: torch.device) -> None:
            assert device.type == kind
            seen.append(batch)
            raise KeyboardInterrupt

        monkeypatch.setattr(ObjectiveMethod, "run", run)
        context = RunContext(plan, Store.create(folder / "set"), torch.device(kind), chosen)
        with pytest.raises(KeyboardInterrupt):
            run_batch(plan.stimuli[:count], context, RunProgress(), ignore_progress)
        assert [(len(b.items), b.slots) for b in seen] == [(count, expected)]
        assert len({item.source_key for item in seen[0].items}) == (2 if count > 3 else 1)

    @pytest.mark.parametrize("size", [-1, 0, MAX_BATCH_SIZE + 1])
    def test_sizes_out_of_range(self, folder: Path, size: int) -> None:
        with pytest.raises(StimgenError, match=f"a batch size of {size} is out of range"):
            generate_set(load_protocol(folder / "tiny.yaml"), folder / "set", GenerateOptions("cpu", size))
        assert not (folder / "set").exists()


def test_originals_are_written_once_and_as_the_model_sees_them(plan: ProtocolPlan, folder: Path) -> None:
    store = Store.create(folder / "set")
    write_originals(plan, store)
    files = sorted((folder / "set" / "originals").iterdir())
    assert [file.name[:2] for file in files] == ["a_", "b_", "c_"]
    for file, source in zip(files, plan.sources, strict=True):
        assert np.array_equal(Image.open(file), np.rint(255 * source.pixels()[:, :, 0]))
    (folder / "a.png").unlink()  # not needed any more
    write_originals(plan, store)


class TestProgress:
    """What is reported while a set is made."""

    def test_it_goes_up_to_the_end(self, folder: Path) -> None:
        seen: list[tuple[int, float, bool]] = []

        def note(progress: RunProgress) -> None:
            seen.append((progress.made, progress.under_way, progress.loss > 0))

        generate_set(load_protocol(folder / "tiny.yaml"), folder / "set", GenerateOptions("cpu", 6), note)
        # Two evaluations and the end of four batches: six of each condition's large ones, three of its small.
        assert seen == [
            step
            for made, size in ((0, 6), (6, 3), (9, 6), (15, 3))
            for step in ((made, size / 2, True), (made, size, True), (made + size, 0.0, True))
        ]

    def test_times_are_estimated_from_what_is_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stimgen.execution.progress.time", SimpleNamespace(monotonic=lambda: 130.0))
        progress = RunProgress(planned=20, there=4, _began=100.0)
        assert progress.seconds_per_stimulus is None
        assert progress.remaining is None
        progress.made, progress.under_way = 4, 2.0
        assert progress.seconds == 30.0
        assert progress.seconds_per_stimulus == pytest.approx(5.0)  # six done in thirty seconds
        assert progress.remaining == pytest.approx(50.0)  # ten are left


def test_a_trace_has_every_digit() -> None:
    losses = Losses(0.1 + 0.2, {"term_1": 1 / 3, "range": 0.0})
    text = format_trace(
        [TraceEntry(0, 1, losses), TraceEntry(1, 1, Losses(float("nan"), {"term_1": 1e-300, "range": 5.0}))]
    )
    lines = text.decode().splitlines()
    assert lines[0] == "scale,evaluation,total,term_1,range"
    assert [float(number) for number in lines[1].split(",")[2:]] == [0.1 + 0.2, 1 / 3, 0.0]
    assert lines[2] == "1,1,nan,1e-300,5.0"
