"""Generating sets when all goes well, and when it does not: nothing is lost, half-written or made twice."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import platform
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import stimgen
from stimgen import StimulusSet
from stimgen.cli import main as cli
from stimgen.execution.batch import run_batch
from stimgen.execution.context import RunContext
from stimgen.execution.progress import RunProgress, ignore_progress
from stimgen.images import write
from stimgen.protocol import planned_source
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading import atomic
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.lock import LOCK, lock_set
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, PLAN, SHEET, TABLE, Store, record_file
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """\
name: tiny
preparation: {size: 16}
sources:
  - {file: colour.png}
  - {file: grey.png}
synthesis: {scales: 1, evaluations: 4}
conditions:
  - {id: texture, layers: [relu1_1]}
seeds: [1, 2]
"""
CPU = torch.device("cpu")


def write_photo(file: Path, channels: int, seed: int = 0) -> None:
    rng = np.random.default_rng([seed, channels])
    coarse = rng.integers(0, 256, (6, 6, channels), dtype=np.uint8)
    Image.fromarray(coarse.squeeze()).resize((24, 24), Image.Resampling.BICUBIC).save(file)


@dataclass
class Place:
    """A folder with a protocol, its photographs, and its set."""

    folder: Path

    @property
    def set(self) -> Path:
        return self.folder / "set"

    @property
    def store(self) -> Store:
        return Store(self.set)

    def write(self, *changes: tuple[str, str], text: str = PROTOCOL) -> Place:
        """Write the protocol, with some of its text replaced."""
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "tiny.yaml").write_text(text)
        return self

    def make(self, report: Callable[[RunProgress], None] | None = None, batch_size: int = 3) -> RunProgress:
        loaded = load_protocol(self.folder / "tiny.yaml")
        return generate_set(loaded, self.set, GenerateOptions("cpu", batch_size), report)

    def files(self) -> dict[str, bytes]:
        """Return every file but the index, which holds times of changes and is never compared."""
        found = sorted(file for file in self.set.rglob("*") if file.is_file() and file.name != INDEX)
        return {file.relative_to(self.set).as_posix(): file.read_bytes() for file in found}

    def contents(self) -> dict[str, Any]:
        """Return what records say of stimuli, whoever made them."""
        return {record.content.id: record.content for record in self.store.read_records()}

    def command(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        """Run ``stimgen generate`` in this process and return its exit code."""
        command = ["stimgen", "generate", str(self.folder / "tiny.yaml"), "-o", str(self.set)]
        monkeypatch.setattr(sys, "argv", [*command, "--device", "cpu", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0)


def new_place(folder: Path) -> Place:
    folder.mkdir(exist_ok=True)
    write_photo(folder / "colour.png", 3)
    write_photo(folder / "grey.png", 1)
    return Place(folder).write()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_place(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = new_place(tmp_path_factory.mktemp("undisturbed"))
    assert place.make().made == 4
    return place


def same(place: Place, other: Place) -> None:
    """Assert that two sets are the same: pictures, arrays, traces, contents, plan, table, contact sheet."""
    assert place.contents() == other.contents()
    ours, theirs = place.files(), other.files()
    assert ours.keys() == theirs.keys()
    for name, data in theirs.items():
        if name not in (MANIFEST, CHECKSUMS) and not name.startswith("records/"):
            assert ours[name] == data, name
    assert verify_set(place.store).problems == []


class TestRunningAgain:
    """Only what is missing is made."""

    def test_nothing_is_made_twice_and_no_byte_changes(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert place.command(monkeypatch) == 0
        assert "4 stimuli made" in capsys.readouterr().out
        before = place.files()
        for name in before:
            os.utime(place.set / name, (1, 1))
        assert place.command(monkeypatch) == 0
        said = capsys.readouterr().out
        assert "4 of 4 stimuli existed already" in said
        assert "0 stimuli made" in said
        assert place.files() == before
        assert {(place.set / name).stat().st_mtime for name in before} == {1.0}

    @pytest.mark.parametrize("kind", ["records", "images", "traces"])
    def test_what_was_deleted_is_made_again(self, place: Place, undisturbed: Place, kind: str) -> None:
        place.make()
        victim = sorted(file for file in (place.set / kind).rglob("*") if file.is_file())[1]
        victim.unlink()
        untouched = {name: data for name, data in place.files().items() if name.startswith("records/")}
        progress = place.make()
        assert (progress.planned, progress.there, progress.made) == (4, 3, 1)
        same(place, undisturbed)
        kept = [name for name, data in untouched.items() if place.files()[name] == data]
        assert len(kept) == 3

    @pytest.mark.parametrize("name", [MANIFEST, TABLE, SHEET, "originals"])
    def test_what_is_derived_is_derived_again(self, place: Place, name: str) -> None:
        place.make()
        before = place.files()
        for file in place.set.glob(f"{name}/*" if name == "originals" else name):
            file.unlink()
        assert place.make().made == 0
        assert place.files() == before

    def test_a_damaged_record_is_named_and_can_be_deleted(self, place: Place, undisturbed: Place) -> None:
        place.make()
        record = sorted((place.set / "records").rglob("*.json"))[0]
        record.write_bytes(record.read_bytes()[:100])
        with pytest.raises(StimgenError, match="is damaged") as caught:
            place.make()
        assert str(record) in str(caught.value)
        assert "once it is deleted" in str(caught.value)
        record.unlink()
        assert place.make().made == 1
        same(place, undisturbed)

    def test_a_record_under_another_id_does_not_count(self, place: Place, undisturbed: Place) -> None:
        place.make()
        first, second = place.store.read_plan().ids[:2]
        (place.set / record_file(second)).write_bytes((place.set / record_file(first)).read_bytes())
        assert place.make().made == 1
        same(place, undisturbed)

    def test_a_damaged_plan_is_replaced(self, place: Place, undisturbed: Place) -> None:
        place.make()
        (place.set / PLAN).write_text("{")
        assert place.make().made == 0
        same(place, undisturbed)


class TestChangedProtocol:
    """The new is made, the old stays, and the manifest lists what the protocol says now."""

    def test_other_seeds(self, place: Place) -> None:
        place.make()
        old = place.files()
        progress = place.write(("seeds: [1, 2]", "seeds: [2, 3]")).make()
        assert (progress.there, progress.made) == (2, 2)
        now = place.files()
        kept = [name for name in old if name.startswith(("images/", "traces/", "records/"))]
        assert all(now[name] == old[name] for name in kept)
        manifest = json.loads(now[MANIFEST])
        assert [entry["content"]["seed"] for entry in manifest["stimuli"]] == [2, 3, 2, 3]
        assert len([name for name in now if name.startswith("images/")]) == 6
        assert manifest["protocol"]["text"] == (place.folder / "tiny.yaml").read_text()
        assert now[TABLE].count(b"\n") == 5
        assert verify_set(place.store).problems == []

    def test_a_shorter_protocol_makes_nothing_and_shows_less(self, place: Place) -> None:
        place.make()
        assert place.write(("seeds: [1, 2]", "seeds: [1]")).make().made == 0
        assert len(StimulusSet(place.set)) == 2
        assert verify_set(place.store).sound
        shown = Image.open(place.set / SHEET)
        assert np.array_equal(shown, StimulusSet(place.set).contact_sheet())

    def test_back_to_the_old_protocol(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds: [1, 2]", "seeds: [2]")).make()
        assert place.write().make().made == 2
        same(place, undisturbed)

    @pytest.mark.parametrize(
        "changes",
        [
            [("{file: grey.png}", "{file: grey.png, licence: CC0-1.0, credit: somebody}")],
            [("id: texture", "id: matter")],
            [("{file: grey.png}", "{file: grey.png, id: dusk}")],
            [("seeds:", "output: {layout: nested}\nseeds:")],
            [("name: tiny", "name: small\ntitle: a title\nauthors: [{name: Ada}]")],
            [("id: texture", "id: matter"), ("seeds:", "output: {layout: nested}\nseeds:")],
        ],
    )
    def test_names_and_credits_change_without_another_synthesis(
        self, place: Place, tmp_path: Path, changes: list[tuple[str, str]]
    ) -> None:
        """An id knows nothing of them; still the set becomes the one that the protocol stands for."""
        place.make()
        old = {name: data for name, data in place.files().items() if name.startswith("images/")}
        assert place.write(*changes).make().made == 0
        fresh = new_place(tmp_path / "fresh").write(*changes)
        assert fresh.make().made == 4
        same(place, fresh)
        pictures = {
            hashlib.sha256(data).digest() for name, data in place.files().items() if "images/" in name
        }
        assert pictures == {hashlib.sha256(data).digest() for data in old.values()}

    def test_a_renamed_photograph_is_the_same_photograph(self, place: Place) -> None:
        place.make()
        (place.folder / "grey.png").rename(place.folder / "dusk.png")
        assert place.write(("grey.png", "dusk.png")).make().made == 0
        assert sorted(StimulusSet(place.set).table.source_file.unique()) == ["colour.png", "dusk.png"]
        assert verify_set(place.store).problems == []

    def test_what_was_tampered_with_is_not_renamed_but_made_again(self, place: Place) -> None:
        place.make()
        content = next(place.store.read_records()).content
        write_photo(place.set / content.file, 3, seed=9)
        assert place.write(("id: texture", "id: matter")).make().made == 1
        assert verify_set(place.store).problems == []

    def test_arrays_wanted_later_are_made(self, place: Place) -> None:
        place.make()
        wanted = ("seeds:", "output: {array: true}\nseeds:")
        assert place.write(wanted).make().made == 4
        assert len(list((place.set / "arrays").iterdir())) == 4
        assert verify_set(place.store).problems == []
        assert place.write().make().made == 0
        assert all(content.array is None for content in place.contents().values())
        assert verify_set(place.store).problems == []


class TestInterruption:
    """Ctrl-C keeps what is finished, and the same command goes on."""

    def test_in_the_middle_of_a_batch(
        self,
        place: Place,
        undisturbed: Place,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def interrupt(progress: RunProgress) -> None:
            if progress.made == 2 and progress.under_way > 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            place.make(interrupt, batch_size=2)
        manifest = json.loads(place.files()[MANIFEST])
        assert (manifest["planned"], manifest["complete"], len(manifest["stimuli"])) == (4, False, 2)
        assert not any(name.split("/")[-1].startswith(".") for name in place.files())
        assert len(StimulusSet(place.set)) == 2
        assert place.command(monkeypatch) == 0
        said = capsys.readouterr().out
        assert "2 of 4 stimuli existed already" in said
        assert "2 stimuli made" in said
        same(place, undisturbed)

    def test_of_the_command(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(ObjectiveMethod, "run", interrupt)
        assert place.command(monkeypatch) == 130
        assert "finished stimuli are kept" in capsys.readouterr().err
        assert json.loads(place.files()[MANIFEST])["stimuli"] == []

    def test_sigterm_ends_as_ctrl_c_does(
        self,
        place: Place,
        undisturbed: Place,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A cluster sends it before it takes the computer away."""
        real, began = ObjectiveMethod.run, []

        def run(method: Any, batch: Any, device: Any) -> Any:
            began.append(batch)
            if len(began) == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return (yield from real(method, batch, device))

        before = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch:
            patch.setattr(ObjectiveMethod, "run", run)
            assert place.command(patch, "--batch-size", "2") == 128 + signal.SIGTERM
        assert "finished stimuli are kept" in capsys.readouterr().err
        assert signal.getsignal(signal.SIGTERM) is before
        assert len(json.loads(place.files()[MANIFEST])["stimuli"]) == 2
        assert not place.store.has(LOCK)
        problems = verify_set(place.store).problems
        assert len(problems) == 2
        assert all(problem.endswith("is missing") for problem in problems)
        place.make()
        same(place, undisturbed)

    @pytest.mark.parametrize("fault", ["interrupted", "full disk"])
    @pytest.mark.parametrize("after", [0, 2, 7, 16])
    def test_while_files_are_written(
        self, place: Place, undisturbed: Place, monkeypatch: pytest.MonkeyPatch, after: int, fault: str
    ) -> None:
        """Nothing half-written, no record without its picture; test_disk_faults.py fails every step."""
        real, written = atomic.push_to_disk, []

        def failing(descriptor: int) -> None:
            if len(written) == after:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
                raise KeyboardInterrupt if fault == "interrupted" else OSError(errno.ENOSPC, "No space left")
            written.append(descriptor)
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(atomic, "push_to_disk", failing)
            with pytest.raises((KeyboardInterrupt, StimgenError)) as caught:
                place.make(batch_size=2)
        if fault != "interrupted":
            assert "No space left" in str(caught.value)
        assert not any("writing" in name for name in place.files())
        if after > 0:
            for content in place.contents().values():
                assert place.store.has(content.file)
                assert place.store.has(content.trace.file)
                assert place.store.has(content.source.original.file)
        place.make(batch_size=2)
        same(place, undisturbed)


class TestSources:
    """Photographs that change, or are damaged."""

    def test_changed_between_planning_and_running(self, place: Place) -> None:
        plan = make_plan(load_protocol(place.folder / "tiny.yaml"))
        write_photo(place.folder / "grey.png", 1, seed=5)
        stimuli = [stimulus for stimulus in plan.stimuli if stimulus.source.id == "grey"]
        context = RunContext(plan, Store.create(place.set), CPU, 2)
        with pytest.raises(StimgenError, match="the source has changed since the plan was made"):
            run_batch(stimuli, context, RunProgress(), ignore_progress)
        assert place.files() == {}

    def test_changed_during_the_run(self, place: Place, undisturbed: Place) -> None:
        def change(_: RunProgress) -> None:
            write_photo(place.folder / "grey.png", 1, seed=5)

        with pytest.raises(StimgenError, match="has changed since the plan was made"):
            place.make(change, batch_size=2)
        assert len(StimulusSet(place.set)) == 2
        write_photo(place.folder / "grey.png", 1)
        assert place.make().made == 2
        same(place, undisturbed)

    def test_a_changed_photograph_gives_new_stimuli(self, place: Place) -> None:
        place.make()
        write_photo(place.folder / "grey.png", 1, seed=5)
        progress = place.make()
        assert (progress.there, progress.made) == (2, 2)
        assert len(list((place.set / "originals").iterdir())) == 3
        assert verify_set(place.store).problems == []

    @pytest.fixture
    def whole(self, place: Place) -> bytes:
        """Write a photograph whose damage shows only when it is decoded, and return it undamaged."""
        file = place.folder / "new.jpg"
        write_photo(file, 3, seed=2)
        data = file.read_bytes()
        file.write_bytes(data[:-60])
        return data

    ANOTHER = ("{file: grey.png}", "{file: grey.png}\n  - {file: new.jpg}")

    def test_a_damaged_photograph_is_found_before_anything_runs_and_can_be_mended(
        self, place: Place, whole: bytes
    ) -> None:
        steps: list[RunProgress] = []
        with pytest.raises(StimgenError, match=r"new\.jpg: the image is damaged") as caught:
            place.write(self.ANOTHER).make(steps.append)
        assert str(caught.value).startswith(f"{place.folder / 'tiny.yaml'}:6: ")
        assert steps == []
        assert not place.set.exists()
        (place.folder / "new.jpg").write_bytes(whole)
        assert place.make().made == 6
        assert verify_set(place.store).problems == []

    @pytest.mark.usefixtures("whole")
    def test_a_damaged_photograph_leaves_the_set_as_it_was(self, place: Place) -> None:
        place.make()
        before = place.files()
        with pytest.raises(StimgenError, match="damaged"):
            place.write(self.ANOTHER).make()
        assert place.files() == before
        assert verify_set(place.store).problems == []

    def test_an_original_in_other_bytes_is_kept(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another version of zlib compresses otherwise; a set that is continued with it stays sound."""
        place.write(("seeds: [1, 2]", "seeds: [1]")).make()
        originals = {name: data for name, data in place.files().items() if name.startswith("originals/")}
        real = write.encode_png

        def otherwise(levels: Any, encoding: Any) -> bytes:
            buffer = io.BytesIO()
            with Image.open(io.BytesIO(real(levels, encoding))) as picture:
                picture.save(buffer, "PNG", compress_level=0)
            return buffer.getvalue()

        monkeypatch.setattr(planned_source, "encode_png", otherwise)
        assert place.write().make().made == 2
        assert {name: data for name, data in place.files().items() if name in originals} == originals
        assert verify_set(place.store).problems == []

    def test_an_original_with_other_pixels_is_replaced(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds: [1, 2]", "seeds: [1]")).make()
        (name,) = (place.set / "originals").glob("grey*")
        write_photo(name, 1, seed=9)
        assert place.write().make().made == 2
        same(place, undisturbed)


class Poison:
    """The loss of one stimulus of every batch is not a number, from one of its evaluations on."""

    def __init__(self, row: int, first: int, times: int) -> None:
        self.row, self.first, self.times = row, first, times
        self.calls = 0
        self._real = Objective.__call__

    def __call__(self, objective: Objective, images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
        found = self._real(objective, images, rows)
        hit = rows == self.row
        if not hit.any():
            return found
        self.calls += 1
        if not self.first <= self.calls < self.first + self.times:
            return found
        nan = torch.where(hit[:, None], torch.nan, found.parts)
        return Evaluation(nan, torch.where(hit[:, None, None, None], torch.nan, found.gradient))


@pytest.fixture
def one_source(place: Place) -> Place:
    """A protocol of one batch: one source, three seeds, enough evaluations for a restart."""
    return place.write(
        ("  - {file: grey.png}\n", ""),
        ("seeds: [1, 2]", "seeds: [1, 2, 3]"),
        ("evaluations: 4", "evaluations: 9"),
    )


def poison(monkeypatch: pytest.MonkeyPatch, row: int = 1, first: int = 3, times: int = 100) -> None:
    poisoned = Poison(row, first, times)
    monkeypatch.setattr(Objective, "__call__", lambda self, images, rows: poisoned(self, images, rows))


class TestNonFiniteLoss:
    """One stimulus fails; the others do not notice."""

    @pytest.mark.parametrize("first", [1, 3])
    def test_it_is_reported_and_the_others_are_made(
        self,
        one_source: Place,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        first: int,
    ) -> None:
        place = one_source
        with monkeypatch.context() as patch:
            poison(patch, first=first)
            assert place.command(patch, "--batch-size", "3") == 1
        said = capsys.readouterr()
        assert "colour_texture_s2" in said.err
        assert "the loss was not finite" in said.err
        assert "2 stimuli made" in said.out
        assert [content.seed for content in place.contents().values()] == [1, 3]
        assert not any("_s2_" in name for name in place.files())
        assert json.loads(place.files()[MANIFEST])["complete"] is False
        whole = Place(tmp_path / "whole")
        (tmp_path / "whole").mkdir()
        write_photo(whole.folder / "colour.png", 3)
        whole.write(text=(place.folder / "tiny.yaml").read_text()).make()
        for stimulus, content in place.contents().items():
            assert content == whole.contents()[stimulus]
            assert place.files()[content.file] == whole.files()[content.file]
            assert place.files()[content.trace.file] == whole.files()[content.trace.file]
        assert place.make().made == 1
        same(place, whole)

    def test_once_is_forgiven(self, one_source: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place = one_source
        with monkeypatch.context() as patch:
            poison(patch, first=3, times=1)
            progress = place.make()
        assert (progress.made, progress.failures) == (3, [])
        content = next(c for c in place.contents().values() if c.seed == 2)
        totals = [float(line["total"]) for line in trace(place, content)]
        assert len(totals) == 9
        assert [i for i, total in enumerate(totals) if np.isnan(total)] == [2]
        # It went on from its best point, downhill.
        assert content.losses.end.total < np.nanmin(totals[:2])
        assert content.losses.end.total == pytest.approx(np.nanmin(totals), rel=1e-5)

    def test_a_lone_stimulus(self, one_source: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Padding doubles it; only the stimulus itself counts."""
        poison(monkeypatch, row=0)
        progress = one_source.write(text=PROTOCOL.replace("seeds: [1, 2]", "seeds: [5]")).make(batch_size=1)
        assert progress.made == 0
        assert [failure.stimulus.seed for failure in progress.failures] == [5, 5]
        assert not (one_source.set / SHEET).exists()

    def test_from_python_it_is_an_error(self, one_source: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        poison(monkeypatch)
        with pytest.raises(StimgenError, match="could not be made: colour_texture_s2"):
            stimgen.generate(
                one_source.folder / "tiny.yaml", one_source.set, options=GenerateOptions("cpu", batch_size=3)
            )
        assert len(StimulusSet(one_source.set)) == 2


class TestMemory:
    """Not even two fit; more in test_out_of_memory.py."""

    @pytest.mark.parametrize(
        "error",
        [
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
            RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
            MemoryError("Unable to allocate 8.00 GiB for an array"),
        ],
    )
    def test_the_message_says_what_to_do(
        self,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        error: Exception,
    ) -> None:
        def run(*_: object) -> None:
            raise error

        monkeypatch.setattr(ObjectiveMethod, "run", run)
        assert place.command(monkeypatch, "--batch-size", "7") == 2
        said = capsys.readouterr().err
        assert "not enough memory on cpu for 2 stimuli of 'texture' at once" in said
        assert "`stimgen plan` predicts" in said
        assert "Traceback" not in said

    def test_other_errors_are_not_disguised(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def run(*_: object) -> None:
            raise RuntimeError("shapes do not fit")

        monkeypatch.setattr(ObjectiveMethod, "run", run)
        with pytest.raises(RuntimeError, match="shapes do not fit") as caught:
            place.make()
        assert caught.value.__cause__ is None


class TestTwoRuns:
    """The second refuses, and leaves all as it was; more in test_lock.py."""

    def test_into_one_folder(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place.make()
        before = place.files()
        place.write(("seeds: [1, 2]", "seeds: [1, 2, 3]"))
        with lock_set(place.set):
            assert place.command(monkeypatch) == 2
            said = capsys.readouterr().err
            assert f"is being written by process {os.getpid()} on {platform.node()}" in said
            assert {name: data for name, data in place.files().items() if name != LOCK} == before
        assert place.make().made == 2

    def test_what_a_dead_run_left_is_no_hindrance(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds: [1, 2]", "seeds: [1]")).make()
        (place.set / LOCK).write_text(
            '{"host": "HERE", "process": 1, "started": "?"}'.replace("HERE", platform.node())
        )
        (place.set / "images" / ".writing-0123456789abcdef").write_bytes(b"half a pic")
        place.write().make()
        same(place, undisturbed)


class TestReadOnly:
    """A folder that cannot be written."""

    @pytest.fixture
    def _read_only(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Refuse to make files in the set, to whomever: permissions do not hold root."""
        opened, opened_low = Path.open, os.open

        def open_file(file: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            if "r" not in mode and file.is_relative_to(place.set):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return opened(file, mode, *arguments, **options)

        def open_low(file: Any, flags: int, *arguments: Any, **options: Any) -> int:
            if flags & os.O_CREAT and Path(file).is_relative_to(place.set):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return opened_low(file, flags, *arguments, **options)

        monkeypatch.setattr(Path, "open", open_file)
        monkeypatch.setattr(os, "open", open_low)

    @pytest.mark.usefixtures("_read_only")
    def test_what_is_to_be_written_is_named(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert place.command(monkeypatch) == 2
        assert "cannot be written: Read-only file system" in capsys.readouterr().err
        assert place.files() == {}

    def test_a_finished_set_needs_nothing_to_be_written(
        self, place: Place, request: pytest.FixtureRequest
    ) -> None:
        place.make()
        later = max(file.stat().st_mtime_ns for file in place.set.rglob("*")) + 1
        os.utime(place.set / INDEX, ns=(later, later))  # not in the same tick of the clock
        before = place.files()
        request.getfixturevalue("_read_only")
        assert place.make().there == 4
        assert place.files() == before
        assert verify_set(place.store).sound


class TestMistakes:
    """What the user asks for and cannot have; the set is not begun."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--device", "cuda:99"], "there is no device 'cuda:99' here"),
            (["--device", "gpu"], "'gpu' is not a device"),
            (["--batch-size", "0"], "a batch size of 0 is out of range"),
            (["--batch-size", "100000"], "a batch size of 100000 is out of range"),
        ],
    )
    def test_options(
        self,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        message: str,
    ) -> None:
        assert place.command(monkeypatch, *arguments) == 2
        assert message in capsys.readouterr().err
        assert not place.set.exists()

    def test_a_foreign_folder(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.set.mkdir()
        (place.set / "thesis.tex").write_text("years of work")
        assert place.command(monkeypatch) == 2
        assert place.files() == {"thesis.tex": b"years of work"}

    def test_a_folder_that_cannot_be_made(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.set.write_text("a file")
        assert place.command(monkeypatch) == 2
        assert place.set.read_text() == "a file"


def trace(place: Place, content: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(place.store.read(content.trace.file).decode())))


class TestRecords:
    """What a record says is so."""

    def test_evaluations_losses_and_trace_agree(self, undisturbed: Place) -> None:
        for content in undisturbed.contents().values():
            lines = trace(undisturbed, content)
            totals = [float(line["total"]) for line in lines]
            assert content.evaluations == len(lines) == 4
            assert content.stopped == "evaluations"
            assert list(lines[0]) == ["scale", "evaluation", "total", "term_1", "range"]
            assert [(line["scale"], line["evaluation"]) for line in lines] == [
                ("0", str(i)) for i in range(1, 5)
            ]
            for line in lines:
                assert float(line["total"]) == pytest.approx(float(line["term_1"]) + float(line["range"]))
            losses = content.losses
            assert np.isfinite([losses.start.total, losses.end.total, losses.saved.total]).all()
            assert losses.start.total == pytest.approx(totals[0], rel=1e-6)
            assert losses.end.total == pytest.approx(min(totals), rel=1e-6)
            assert losses.end.total < losses.start.total
            assert losses.saved == losses.before_steps
            assert losses.saved.parts["range"] == 0.0  # eight bits cannot leave the range
            assert losses.saved.total != losses.end.total

    def test_the_saved_loss_is_that_of_the_file_read_back(self, undisturbed: Place) -> None:
        plan = make_plan(load_protocol(undisturbed.folder / "tiny.yaml"))
        for stimulus in plan.stimuli:
            content = undisturbed.contents()[stimulus.id]
            method = stimulus.condition.method
            source = as_tensor(undisturbed.set / content.source.original.file)
            target = Objective(method.terms, SoftPenalty(), BatchSources(source, torch.tensor([0, 0])))
            picture = as_tensor(undisturbed.set / content.file)
            (found, _) = target.measure(picture.repeat(2, 1, 1, 1), torch.arange(2)).sum(1).tolist()
            assert content.losses.saved.total == pytest.approx(found, rel=1e-4)

    def test_ids_files_and_sources(self, undisturbed: Place) -> None:
        plan = make_plan(load_protocol(undisturbed.folder / "tiny.yaml"))
        contents = undisturbed.contents()
        assert list(contents) == [stimulus.id for stimulus in plan.stimuli]
        for stimulus in plan.stimuli:
            content = contents[stimulus.id]
            assert content.compute_id() == stimulus.id
            assert content.recipe == stimulus.recipe
            assert (content.source.id, content.condition, content.seed) == (
                stimulus.source.id,
                "texture",
                stimulus.seed,
            )
            assert (
                content.file == f"images/{stimulus.source.id}_texture_s{stimulus.seed}_{stimulus.id[:8]}.png"
            )
            assert content.source.file == f"{stimulus.source.id}.png"
            assert content.array is None
            assert content.encoding == "srgb"
            assert content.parameters == 64 * 65 // 2
            (network,) = content.network
            assert (network.name, network.validated_with_observers) == ("embedded", False)
            assert "not validated with human observers" in network.validation
            assert len(network.weights_sha256) == 64

    def test_pictures_have_the_channels_and_size_of_their_sources(self, undisturbed: Place) -> None:
        for content in undisturbed.contents().values():
            with Image.open(undisturbed.set / content.file) as picture:
                assert picture.size == (16, 16)
                assert picture.mode == ("L" if content.source.id == "grey" else "RGB")
            with Image.open(undisturbed.set / content.source.original.file) as original:
                with Image.open(undisturbed.folder / content.source.file) as photo:
                    wanted = photo.resize((16, 16), Image.Resampling.LANCZOS)
                assert np.array_equal(original, wanted)

    def test_made_says_when_where_and_with_what(self, undisturbed: Place) -> None:
        for record in undisturbed.store.read_records():
            made = record.made
            assert made.started <= made.finished
            assert made.started.endswith("Z")
            assert made.seconds > 0
            assert made.device == "cpu"
            assert made.threads == torch.get_num_threads()
            assert made.versions["torch"] == metadata.version("torch")
            assert set(made.versions) >= {"python", "stimgen", "torch", "torchvision", "numpy", "pillow"}

    def test_an_early_stop_is_explained(self, place: Place) -> None:
        place.write(("evaluations: 4", "evaluations: 50, optimiser: {name: lbfgs, tolerance: 0.9}")).make()
        for content in place.contents().values():
            assert content.stopped == "tolerance"
            assert content.evaluations == len(trace(place, content)) < 50

    def test_two_scales(self, place: Place) -> None:
        place.write(("scales: 1, evaluations: 4", "scales: 2, evaluations: [2, 3]")).make()
        for content in place.contents().values():
            lines = trace(place, content)
            places = [(int(line["scale"]), int(line["evaluation"])) for line in lines]
            assert places == [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)]
            assert content.losses.end.total == pytest.approx(
                min(float(line["total"]) for line in lines if line["scale"] == "1"), rel=1e-6
            )

    def test_the_protocol_is_in_the_manifest(self, undisturbed: Place) -> None:
        protocol = json.loads(undisturbed.files()[MANIFEST])["protocol"]
        text = (undisturbed.folder / "tiny.yaml").read_bytes()
        assert protocol["text"].encode() == text
        assert protocol["sha256"] == hashlib.sha256(text).hexdigest()
        assert protocol["file"] == "tiny.yaml"
        assert protocol["name"] == "tiny"


def as_tensor(file: Path) -> torch.Tensor:
    levels = np.atleast_3d(np.asarray(Image.open(file), dtype=np.float32)) / 255
    return torch.from_numpy(levels.transpose(2, 0, 1)[np.newaxis].copy())


class TestOutput:
    """What is written beside the pictures."""

    def test_arrays_are_the_pictures_before_rounding(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds:", "output: {array: true}\nseeds:")).make()
        for stimulus, content in place.contents().items():
            array = np.load(io.BytesIO(place.store.read(content.array.file)), allow_pickle=False)
            assert array.dtype == np.float32
            picture = StimulusSet(place.set).image(stimulus)
            assert array.shape == picture.shape
            assert np.array_equal(np.rint(np.clip(array, 0, 1) * np.float32(255)), picture)
            assert len(np.unique(array)) > 200  # not rounded
            # Whether arrays are kept changes nothing else.
            assert content.replace(array=None) == undisturbed.contents()[stimulus]

    def test_nested_layout(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds:", "output: {layout: nested, array: true}\nseeds:")).make()
        for stimulus, content in place.contents().items():
            for file, folder in (
                (content.file, "images"),
                (content.trace.file, "traces"),
                (content.array.file, "arrays"),
            ):
                assert file.startswith(f"{folder}/{stimulus[:2]}/")
            assert re.fullmatch(
                r"originals/([a-z2-7]{2})/.*_\1[a-z2-7]{6}\.png", content.source.original.file
            )
            assert content.sha256 == undisturbed.contents()[stimulus].sha256
            assert StimulusSet(place.set).image(stimulus).shape[:2] == (16, 16)
        assert verify_set(place.store).problems == []
        assert place.make().made == 0

    def test_histogram_matching(self, place: Place, undisturbed: Place) -> None:
        place.write(("seeds:", "after: [histogram]\noutput: {array: true}\nseeds:")).make()
        stimuli = StimulusSet(place.set)
        for stimulus, content in place.contents().items():
            picture, original = stimuli.image(stimulus), stimuli.original(stimulus)
            for channel in range(picture.shape[2]):
                ours, theirs = picture[:, :, channel], original[:, :, channel]
                assert np.array_equal(np.sort(ours, axis=None), np.sort(theirs, axis=None))
            losses = content.losses
            assert losses.saved.total != losses.before_steps.total
            # The synthesis is the same as without matching; only what follows is not.
            plain = next(
                other
                for other in undisturbed.contents().values()
                if (other.source.id, other.seed) == (content.source.id, content.seed)
            )
            assert losses.end == plain.losses.end
            assert losses.before_steps == plain.losses.saved
            assert content.trace.sha256 == plain.trace.sha256
            array = np.load(io.BytesIO(place.store.read(content.array.file)))
            assert np.array_equal(np.rint(array * np.float32(255)), picture)


class TestStartImage:
    """Synthesis from another picture than noise."""

    CHANGE = ("evaluations: 4", "evaluations: 4, start: {name: image, file: start.png}")

    def test_it_begins_there(self, place: Place) -> None:
        write_photo(place.folder / "start.png", 3, seed=3)
        place.write(self.CHANGE, ("seeds: [1, 2]", "seeds: [1]")).make()
        plan = make_plan(load_protocol(place.folder / "tiny.yaml"))
        with Image.open(place.folder / "start.png") as start:
            small = np.asarray(start.resize((16, 16), Image.Resampling.LANCZOS), dtype=np.float32) / 255
        for stimulus in plan.stimuli:
            content = place.contents()[stimulus.id]
            source = as_tensor(place.set / content.source.original.file)
            pixels = small if source.shape[1] == 3 else small.mean(axis=2, keepdims=True)
            target = Objective(
                stimulus.condition.method.terms, SoftPenalty(), BatchSources(source, torch.tensor([0, 0]))
            )
            image = torch.from_numpy(pixels.transpose(2, 0, 1)[np.newaxis].copy()).repeat(2, 1, 1, 1)
            found = target.measure(image, torch.arange(2)).sum(1)[0].item()
            assert content.losses.start.total == pytest.approx(found, rel=1e-4)
            assert content.settings["start"] == {
                "name": "image",
                "sha256": stimulus.condition.start_image.sha256,
            }

    def test_another_start_is_another_stimulus(self, place: Place) -> None:
        write_photo(place.folder / "start.png", 3, seed=3)
        place.write(self.CHANGE)
        first = [s.id for s in make_plan(load_protocol(place.folder / "tiny.yaml")).stimuli]
        write_photo(place.folder / "start.png", 3, seed=4)
        second = [s.id for s in make_plan(load_protocol(place.folder / "tiny.yaml")).stimuli]
        assert set(first).isdisjoint(second)

    def test_changed_since_the_plan(self, place: Place) -> None:
        write_photo(place.folder / "start.png", 3, seed=3)
        plan = make_plan(load_protocol(place.write(self.CHANGE).folder / "tiny.yaml"))
        write_photo(place.folder / "start.png", 3, seed=4)
        context = RunContext(plan, Store.create(place.set), CPU, 2)
        with pytest.raises(StimgenError, match="the start image has changed since the plan was made"):
            run_batch(plan.stimuli[:1], context, RunProgress(), ignore_progress)
