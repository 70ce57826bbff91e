"""A set made in parts, whatever of them is made, in whatever order, is the set that one process makes."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from small_set import everything, write_protocol

from stimgen.cli import main as cli
from stimgen.execution.batch import form_batches
from stimgen.execution.progress import RunProgress
from stimgen.execution.shard import Shard
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.lock import LOCK, lock_set
from stimgen.stimulus_set.store import MANIFEST, PLAN, Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import GenerateOptions, generate_set
from stimgen.workflow.merge import merge_folders


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> LoadedProtocol:
    return write_protocol(tmp_path_factory.mktemp("protocol") / "p")


@pytest.fixture(scope="module")
def whole(protocol: LoadedProtocol) -> dict[str, object]:
    """All of the set that one run makes."""
    generate_set(protocol, protocol.folder / "set", GenerateOptions("cpu"))
    return everything(protocol.folder / "set")


def make(protocol: LoadedProtocol, folder: Path, shard: str | None = None) -> RunProgress:
    return generate_set(protocol, folder, GenerateOptions("cpu", shard=shard and Shard.parse(shard)))


def test_parts_of_a_plan_are_disjoint_and_all_of_it(protocol: LoadedProtocol) -> None:
    batches = form_batches(make_plan(protocol).stimuli, 2)
    for count in (1, 2, 3, 5, 50):
        parts = [Shard(i + 1, count).select_batches(batches) for i in range(count)]
        assert sorted(s.id for part in parts for batch in part for s in batch) == sorted(
            s.id for batch in batches for s in batch
        )
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


class TestOneFolder:
    """All shards write into one folder."""

    def test_any_order_twice_and_one_left_out(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        made = [make(protocol, tmp_path, shard).made for shard in ("1/3", "3/3", "2/3", "2/3")]
        assert sum(made[:3]) == 14
        assert min(made[:3]) >= 4
        assert made[3] == 0
        assert not (tmp_path / MANIFEST).exists()
        assert make(protocol, tmp_path).made == 0
        assert everything(tmp_path) == whole
        assert verify_set(Store(tmp_path)).problems == []

    def test_a_missing_one_is_made_by_a_plain_run(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        made = make(protocol, tmp_path, "3/4").made + make(protocol, tmp_path, "1/4").made
        merged, command = merge_folders([tmp_path])
        assert (merged.finished, merged.complete) == (made, False)
        assert command is not None
        assert command.endswith(f"small.yaml -o {tmp_path}")
        assert make(protocol, tmp_path).made == 14 - made
        assert everything(tmp_path) == whole
        assert verify_set(Store(tmp_path)).problems == []

    def test_at_the_same_time(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        begin = Barrier(4)

        def one(number: int) -> int:
            begin.wait()
            return make(protocol, tmp_path / "set", f"{number}/4").made

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(one, range(1, 5))) == 14
        assert merge_folders([tmp_path / "set"])[0].complete
        assert everything(tmp_path / "set") == whole
        assert not list((tmp_path / "set").glob(f"{LOCK}*"))

    def test_a_set_is_begun_by_others_while_its_folder_is_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between looking for a plan and listing the folder, another shard may write its plan."""
        plan, is_file = tmp_path / PLAN, Path.is_file

        def begun_after(file: Path) -> bool:
            there = is_file(file)
            if file == plan:
                plan.write_text("{}")
            return there

        monkeypatch.setattr(Path, "is_file", begun_after)
        Store.create(tmp_path)

    def test_two_of_one_number_do_not_work_together(self, protocol: LoadedProtocol, tmp_path: Path) -> None:
        make(protocol, tmp_path, "1/3")
        with lock_set(tmp_path, Shard(2, 3).name):
            with pytest.raises(StimgenError, match="the set is being written by process"):
                make(protocol, tmp_path, "2/3")
            with pytest.raises(StimgenError, match="the set is being written by process"):
                make(protocol, tmp_path)
            with pytest.raises(StimgenError, match="the set is being written by process"):
                merge_folders([tmp_path])
            make(protocol, tmp_path, "3/3")

    def test_the_plan_is_not_changed_below_another_shard(
        self, protocol: LoadedProtocol, tmp_path: Path
    ) -> None:
        make(protocol, tmp_path / "set", "1/3")
        before = (tmp_path / "set" / PLAN).read_bytes()
        longer = write_protocol(tmp_path / "longer", seeds=4)
        with lock_set(tmp_path / "set", Shard(2, 3).name):
            with pytest.raises(StimgenError, match="the set is being written by process"):
                make(longer, tmp_path / "set", "1/3")
            assert (tmp_path / "set" / PLAN).read_bytes() == before
        make(longer, tmp_path / "set", "1/3")
        assert len(Store(tmp_path / "set").read_plan().ids) == 18


class TestSeveralFolders:
    """Each shard has a folder of its own."""

    def test_merged_into_the_first(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        folders = [tmp_path / "a", tmp_path / "b", tmp_path / "b again", tmp_path / "c"]
        for folder, shard in zip(folders, ("3/3", "1/3", "1/3", "2/3"), strict=True):
            make(protocol, folder, shard)
        merged, command = merge_folders(folders)
        assert (merged.complete, merged.problems, command) == (True, [], None)
        assert everything(folders[0]) == whole
        assert verify_set(Store(folders[0])).problems == []

    def test_merged_into_a_new_one_and_later_a_late_one(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        for shard in (1, 2):
            make(protocol, tmp_path / str(shard), f"{shard}/2")
        first = merge_folders([tmp_path / "2"], tmp_path / "set")[0]
        assert (first.copied, first.complete) == (first.finished, False)
        assert merge_folders([tmp_path / "set", tmp_path / "1"])[0].complete
        assert everything(tmp_path / "set") == whole

    def test_what_is_damaged_is_left_out(
        self, protocol: LoadedProtocol, whole: dict[str, object], tmp_path: Path
    ) -> None:
        make(protocol, tmp_path / "a", "1/2")
        make(protocol, tmp_path / "b", "2/2")
        picture = next((tmp_path / "b" / "images").iterdir())
        picture.write_bytes(picture.read_bytes()[:-1] + b"x")
        merged = merge_folders([tmp_path / "a", tmp_path / "b"])[0]
        assert merged.finished == 13
        assert merged.problems == [f"{picture}: its bytes do not match its record"]
        assert make(protocol, tmp_path / "a").made == 1
        assert everything(tmp_path / "a") == whole

    def test_other_pixels_are_told(self, protocol: LoadedProtocol, tmp_path: Path) -> None:
        for name in "ab":
            make(protocol, tmp_path / name, "1/9")
        record = next((tmp_path / "b").glob("records/*/*.json"))
        said = json.loads(record.read_text())
        said["content"]["pixels_sha256"] = "0" * 64
        record.write_text(json.dumps(said))
        merged = merge_folders([tmp_path / "a", tmp_path / "b"])[0]
        assert len(merged.problems) == 1
        assert "with other pixels" in merged.problems[0]

    def test_of_another_plan(self, protocol: LoadedProtocol, tmp_path: Path) -> None:
        make(protocol, tmp_path / "a", "1/9")
        make(write_protocol(tmp_path / "longer", seeds=4), tmp_path / "b", "1/9")
        with pytest.raises(StimgenError, match="plan is not that of .*: it holds other stimuli"):
            merge_folders([tmp_path / "a", tmp_path / "b"])
        with pytest.raises(StimgenError, match="is not a stimulus set"):
            merge_folders([tmp_path / "a", tmp_path])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2", "'2' is not a shard: write I/N"),
        ("a/3", "is not a shard"),
        ("1/3/4", "is not a shard"),
        ("-1/3", "is not a shard"),
        ("1.5/3", "is not a shard"),
        ("0/3", "there is no shard 0 of 3: they are numbered from 1 to 3"),
        ("4/3", "there is no shard 4 of 3"),
        ("0/0", "there can be 1 to 100,000 shards"),
        ("1/1000000", "there can be 1 to 100,000 shards"),
    ],
)
def test_what_is_no_shard(given: str, said: str) -> None:
    with pytest.raises(StimgenError, match=said):
        Shard.parse(given)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_the_command_line(
    protocol: LoadedProtocol,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, folder = str(protocol.document.file), str(tmp_path / "set")
    make_it = ("generate", file, "--device", "cpu", "-o", folder)
    assert run(monkeypatch, *make_it, "--shard", "3/2") == 2
    assert not (tmp_path / "set").exists()
    assert run(monkeypatch, *make_it, "--shard", "1/2") == 0
    assert (
        f"this was shard 1/2; when all shards are made, run: stimgen merge {folder}"
        in capsys.readouterr().out
    )
    assert run(monkeypatch, "merge", folder) == 1
    said = capsys.readouterr()
    assert f"{folder}: 10 of 14 stimuli" in said.out
    assert f"run: stimgen generate small.yaml -o {folder}" in said.err
    assert run(monkeypatch, *make_it, "--shard", "2/2") == 0
    capsys.readouterr()
    assert run(monkeypatch, "merge", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "planned": 14,
        "finished": 14,
        "copied": 0,
        "problems": [],
        "complete": True,
        "command": None,
    }
