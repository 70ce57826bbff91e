"""Stimuli of a set are made again here, and compared: bytes where they must agree, else tolerances."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.cli import main as cli
from stimgen.execution.context import Batches, RunContext
from stimgen.images.write import decode_png, encode_png
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.store import Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.objective import Objective
from stimgen.workflow import resynthesize
from stimgen.workflow.generate import GenerateOptions, generate_set
from stimgen.workflow.resynthesis_comparison import ResynthesisResult, is_same_kind
from stimgen.workflow.resynthesize import resynthesize_stimuli

PROTOCOL = """\
name: small
sources: [{file: photo.png, size: 24}]
synthesis: {scales: 1, evaluations: 8}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: noise, method: phase_scrambled}
seeds: [1, 2, 3]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    levels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(levels).resize((40, 40), Image.Resampling.BICUBIC).save(folder / "photo.png")
    (folder / "small.yaml").write_text(PROTOCOL)
    generate_set(load_protocol(folder / "small.yaml"), folder / "set", GenerateOptions("cpu"))
    return folder


@pytest.fixture
def store(study: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(study / "set", tmp_path / "set")))


def again(store: Store, study: Path, count: int = 2) -> list[ResynthesisResult]:
    return resynthesize_stimuli(store.folder, count, "cpu", study)


def edit(store: Store, change: Callable[[dict[str, Any]], None], i: int = 1) -> None:
    """Change a record, and all that is derived from it, as a forger would."""
    name = record_file(store.read_plan().ids[i])
    record = json.loads(store.read(name))
    change(record)
    store.write(name, json_bytes(record))
    write_derived_files(store)
    assert verify_set(store).sound


def elsewhere(record: dict[str, Any]) -> None:
    record["made"]["processor"] = "another"


def forge(store: Store, levels: np.ndarray) -> Callable[[dict[str, Any]], None]:
    """Return a change that puts another picture in the place of a stimulus', with its hashes."""
    data = encode_png(levels)

    def change(record: dict[str, Any]) -> None:
        content = record["content"]
        store.write(content["file"], data)
        content |= {"sha256": sha256_bytes(data), "pixels_sha256": sha256_bytes(levels.tobytes())}

    return change


def test_identical_bytes_and_nothing_is_written_into_the_set(store: Store, study: Path) -> None:
    before = {file: file.read_bytes() for file in store.folder.rglob("*") if file.is_file()}
    found = again(store, study, 3)
    assert [(one.identical, one.expected, one.compared, one.problem) for one in found] == [
        (True, True, "bytes", None)
    ] * 3
    ids = store.read_plan().ids
    assert [one.id for one in found] == [ids[1], ids[3], ids[5]]
    assert {file: file.read_bytes() for file in store.folder.rglob("*") if file.is_file()} == before


def test_no_more_than_there_are(store: Store, study: Path) -> None:
    assert [one.id for one in again(store, study, 100)] == store.read_plan().ids


@pytest.fixture
def _another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round otherwise, by about as much as another order of sums does."""
    real = Objective.__call__

    def evaluate(objective: Objective, images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
        found = real(objective, images, rows)
        return Evaluation(found.parts, found.gradient * (1 + 1e-6 * torch.sin(1e5 * images)))

    monkeypatch.setattr(Objective, "__call__", evaluate)


@pytest.mark.usefixtures("_another_machine")
def test_of_another_kind_of_machine_within_tolerance(store: Store, study: Path) -> None:
    edit(store, elsewhere)
    (texture, noise) = again(store, study)
    assert (texture.identical, texture.expected, texture.compared, texture.problem) == (
        False,
        False,
        "tolerance",
        None,
    )
    assert texture.difference is not None
    assert texture.difference.psnr is None or texture.difference.psnr > 40
    assert (noise.identical, noise.compared) == (True, "bytes")


@pytest.mark.usefixtures("_another_machine")
def test_of_this_kind_of_machine_bytes_must_agree(store: Store, study: Path) -> None:
    assert again(store, study)[0].problem == "other bytes, on the same kind of machine"


@pytest.mark.parametrize("i", [1, 4])
@pytest.mark.parametrize("seed_of_another", [True, False])
def test_a_forged_picture_is_found_even_so(store: Store, study: Path, i: int, seed_of_another: bool) -> None:
    """All hashes agree, and it claims to come from another machine."""
    other = store.read_record(store.read_plan().ids[i + 1]).content.file
    levels = decode_png(store.read(other), Path(other))
    edit(store, forge(store, levels if seed_of_another else levels[::-1]), i)
    edit(store, elsewhere, i)
    assert again(store, study)[i // 3].problem is not None


def test_a_photograph_that_changed(store: Store, study: Path, tmp_path: Path) -> None:
    shutil.copy(
        study / "set" / "originals" / next((study / "set" / "originals").iterdir()).name,
        tmp_path / "photo.png",
    )
    (found, _) = again(store, tmp_path)
    assert found.problem == "protocol and photographs here give another stimulus"


def test_without_the_photograph(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match=r"photo\.png"):
        resynthesize_stimuli(store.folder, 1, "cpu", tmp_path)


def test_the_command(
    store: Store, study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        command = ["stimgen", "verify", str(store.folder), "--resynthesize", "1", "--root", str(study)]
        monkeypatch.setattr(sys, "argv", [*command, "--device", "cpu", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0)

    assert run() == 0
    assert "made again: identical" in capsys.readouterr().out
    other = store.read_record(store.read_plan().ids[0]).content.file
    edit(store, forge(store, decode_png(store.read(other), Path(other))), 3)
    assert run("--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["sound"] is False
    assert said["problems"] == []
    (one,) = said["resynthesized"]
    assert (one["compared"], one["identical"]) == ("bytes", False)
    assert one["difference"]["psnr"] < 30


@pytest.mark.parametrize(("device", "expected"), [("cuda", {8, 16}), ("cpu", {None})])
def test_on_a_gpu_every_stimulus_gets_the_slots_that_it_had(
    store: Store, study: Path, monkeypatch: pytest.MonkeyPatch, device: str, expected: set[int | None]
) -> None:
    ids, slots = store.read_plan().ids, {}
    for i, stimulus in enumerate(ids):
        slots[stimulus] = 16 if i % 2 else 8

        def made_on_a_gpu(record: dict[str, Any], count: int = slots[stimulus]) -> None:
            record["made"] |= {"device": "cuda:1: a model", "slots": count}

        edit(store, made_on_a_gpu, i)
    seen: dict[str, int | None] = {}

    class Recorder:
        def __init__(self, _: torch.device) -> None:
            pass

        def run(self, batches: Batches, context: RunContext, *_: object) -> None:
            seen.update({stimulus.id: context.batch_size for batch in batches for stimulus in batch})

    monkeypatch.setattr(resynthesize, "find_device", torch.device)
    monkeypatch.setattr(resynthesize, "LocalExecutor", Recorder)
    resynthesize_stimuli(store.folder, len(ids), device, study)
    assert set(seen.values()) == expected
    assert device == "cpu" or seen == slots


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("cpu", 2), ("cpu", 5), True),
        (("cuda:0: A100", 16), ("cuda:3: A100", 16), True),
        (("cuda:0: A100", 16), ("cuda:0: A100", 8), False),
        (("cuda:0: A100", 16), ("cuda:0: H200", 16), False),
        (("cuda:0: A100", 2), ("cpu", 2), False),
        (("mps", 16), ("mps", 16), False),
    ],
)
def test_which_machines_must_give_the_same_bits(
    store: Store, first: tuple[str, int], second: tuple[str, int], same: bool
) -> None:
    made = store.read_record(store.read_plan().ids[0]).made
    one, other = (made.replace(device=device, slots=slots) for device, slots in (first, second))
    assert is_same_kind(one, other) == same
    assert not is_same_kind(one, other.replace(versions={**made.versions, "torch": "2.0"}))
