"""The same protocol gives the same set, however it is made: batches, order, threads, interruptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.reading.shipped import PROTOCOLS
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import GenerateOptions, RunProgress, generate_set

GOLDEN = Path(__file__).with_name("golden")


def snapshot(folder: Path) -> dict[str, object]:
    """Return all that must be equal: every file but those that tell when and where, and records' contents."""
    told = (MANIFEST, CHECKSUMS, INDEX)
    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.parts[-3] != "records" and file.name not in told
    }
    records = {
        file.stem: json.loads(file.read_text())["content"] for file in sorted(folder.glob("records/*/*.json"))
    }
    return {**files, "records": records}


SMOKE = PROTOCOLS.find("smoke").read_text()
# Half as many evaluations show whether anything differs.
SHORT = SMOKE.replace("evaluations: 12", "evaluations: 6")
assert SHORT != SMOKE


def make(
    folder: Path, batch_size: int | None = None, report: Callable[[RunProgress], None] | None = None
) -> RunProgress:
    return make_text(SHORT, folder, batch_size, report)


def make_text(
    text: str,
    folder: Path,
    batch_size: int | None = None,
    report: Callable[[RunProgress], None] | None = None,
) -> RunProgress:
    file = folder.with_name("smoke.yaml")
    file.write_text(text)
    return generate_set(load_protocol(file), folder, GenerateOptions("cpu", batch_size), report)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "set"
    assert make(folder).made == 24
    return folder


@pytest.fixture
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_set_is_sound_and_complete(reference: Path) -> None:
    found = verify_set(StimulusSet(reference).store)
    assert found.problems == []
    assert found.checked == found.planned == 24
    table = StimulusSet(reference).table
    assert (table.loss_end < table.loss_start).all()
    assert (table.loss_end > 0).all()


@pytest.mark.usefixtures("_threads_as_before")
@pytest.mark.parametrize(("batch_size", "threads"), [(1, 2), (3, 1), (8, 2)])
def test_batch_size_and_threads_change_nothing(
    reference: Path, tmp_path: Path, batch_size: int, threads: int
) -> None:
    torch.set_num_threads(threads)
    make(tmp_path / "set", batch_size)
    assert snapshot(tmp_path / "set") == snapshot(reference)
    made = [record.made for record in StimulusSet(tmp_path / "set").records.values()]
    # The size really used: of the whole batches, and of what is left over by eight stimuli a condition.
    left_over = {4 % batch_size} - {0} if batch_size < 4 else set()
    assert {m.batch_size for m in made} == {min(batch_size, 4)} | left_over
    assert {m.slots for m in made} == {max(2, size) for size in {m.batch_size for m in made}}
    assert {m.threads for m in made} == {threads}


def test_the_order_of_seeds_sources_and_conditions_changes_no_stimulus(
    reference: Path, tmp_path: Path
) -> None:
    head, conditions = SHORT.split("conditions:\n")
    conditions, seeds = conditions.split("seeds:")
    parts = [f"  - id:{part}" for part in conditions.split("  - id:")[1:]]
    shuffled = (
        head + "conditions:\n" + "".join(reversed(parts)) + "seeds: [3, 1, 4, 2]\noutput: {array: true}\n"
    )
    assert seeds.startswith(" {first: 1, count: 4}")
    make_text(shuffled, tmp_path / "set", 3)
    ours, theirs = snapshot(tmp_path / "set"), snapshot(reference)
    assert ours["records"] == theirs["records"]
    pictures = [name for name in theirs if name.startswith(("images", "traces", "arrays", "originals"))]
    assert len(pictures) == 3 * 24 + 2
    assert {name: ours[name] for name in pictures} == {name: theirs[name] for name in pictures}


class Interruption:
    """Ctrl-C after so many evaluations."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, _: RunProgress) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_interruptions_change_nothing(reference: Path, tmp_path: Path) -> None:
    finished = 0
    for batch_size, after in ((3, 35), (7, 3), (2, 45), (4, 20)):
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "set", batch_size, Interruption(after))
        assert len(StimulusSet(tmp_path / "set")) >= finished
        finished = len(StimulusSet(tmp_path / "set"))
    assert 0 < finished < 24
    progress = make(tmp_path / "set", 5)
    assert (progress.there, progress.made) == (finished, 24 - finished)
    assert snapshot(tmp_path / "set") == snapshot(reference)


MIXED = """\
name: mixed
preparation: {size: 32}
sources: [{file: "skimage:brick"}, {file: "skimage:coffee"}]
synthesis: {scales: 2, evaluations: 8, precision: mixed}
conditions:
  - {id: texture, depth: scale2}
  - {id: texform, network: vgg19, depth: pool2, regions: 2x2}
seeds: {first: 1, count: 4}
output: {array: true}
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> LoadedProtocol:
    file = tmp_path_factory.mktemp("mixed") / "mixed.yaml"
    file.write_text(MIXED)
    return load_protocol(file)


@pytest.fixture(scope="module")
def mixed_set(mixed: LoadedProtocol) -> Path:
    generate_set(mixed, mixed.folder / "set", GenerateOptions("cpu"))
    return mixed.folder / "set"


@pytest.mark.long
class TestMixedPrecision:
    def test_is_in_the_records(self, mixed_set: Path) -> None:
        records = StimulusSet(mixed_set).records.values()
        assert len(records) == 16
        assert {record.content.recipe["settings"]["precision"] for record in records} == {"mixed"}

    def test_evaluations_are_told_once_in_the_traces(self, mixed_set: Path) -> None:
        traces = list((mixed_set / "traces").iterdir())
        assert len(traces) == 16
        for file in traces:
            table = pd.read_csv(file)
            assert list(zip(table.scale, table.evaluation, strict=True)) == [
                (scale, evaluation) for scale in (0, 1) for evaluation in range(1, 9)
            ]

    @pytest.mark.parametrize("batch_size", [1, 3, 8])
    def test_the_batch_size_changes_nothing(
        self, mixed: LoadedProtocol, mixed_set: Path, tmp_path: Path, batch_size: int
    ) -> None:
        generate_set(mixed, tmp_path / "set", GenerateOptions("cpu", batch_size))
        assert snapshot(tmp_path / "set") == snapshot(mixed_set)

    def test_interruptions_change_nothing(
        self, mixed: LoadedProtocol, mixed_set: Path, tmp_path: Path
    ) -> None:
        for batch_size, after in ((3, 45), (1, 5), (2, 60)):
            with pytest.raises(KeyboardInterrupt):
                generate_set(mixed, tmp_path / "set", GenerateOptions("cpu", batch_size), Interruption(after))
        assert 0 < len(StimulusSet(tmp_path / "set")) < 16
        generate_set(mixed, tmp_path / "set", GenerateOptions("cpu", 5))
        assert snapshot(tmp_path / "set") == snapshot(mixed_set)


def test_golden_pictures(tmp_path: Path) -> None:
    """Pictures kept in the repository: on another processor the bits may differ, the picture may not."""
    head, rest = SMOKE.split("  - file: skimage:brick\n")
    coffee = head + rest[rest.index("  - file: skimage:coffee") :].replace("count: 4", "count: 1")
    assert make_text(coffee, tmp_path / "set").made == 3
    stimuli = StimulusSet(tmp_path / "set")
    for stimulus, condition in stimuli.table.condition.items():
        golden = np.asarray(Image.open(GOLDEN / f"coffee_{condition}_s1.png"), dtype=float)
        error = stimuli.image(stimulus).astype(float) - golden
        assert 10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)) > 40, condition
