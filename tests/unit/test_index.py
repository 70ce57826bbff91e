"""Running a finished set again: nothing unchanged is read, and whatever changed is noticed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hand_made import Wanted, write_set
from PIL import Image

from stimgen.execution.batch import write_originals
from stimgen.execution.context import RunContext
from stimgen.execution.labels import planned_labels, source_record
from stimgen.execution.missing import find_missing
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set import derived
from stimgen.stimulus_set.index import INDEX, SetIndex
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, PLAN, SHEET, TABLE, Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import GenerateOptions, RunProgress, generate_set

PROTOCOL = """\
name: simulated
preparation: {size: 16}
sources:
  - {file: a.png, licence: CC0-1.0}
  - {file: b.png}
synthesis: {scales: 1, evaluations: 3}
conditions:
  - {id: texture, layers: [relu1_1]}
seeds: {first: 1, count: SEEDS}
output: {layout: nested, array: true}
"""


class Found(NamedTuple):
    """A survey, with the ids of stimuli."""

    missing: list[str]
    misnamed: list[str]
    unchanged: bool


@dataclass
class Place:
    """A folder with a protocol and its set."""

    folder: Path

    @property
    def store(self) -> Store:
        return Store(self.folder / "set")

    @property
    def plan(self) -> ProtocolPlan:
        return make_plan(load_protocol(self.folder / "simulated.yaml"))

    def write(self, old: str = "", new: str = "") -> None:
        """Write the protocol with some of its text replaced."""
        file = self.folder / "simulated.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def make(self) -> RunProgress:
        """Run the protocol; afterwards no file is as young as the index."""
        done = generate_set(
            load_protocol(self.folder / "simulated.yaml"), self.store.folder, GenerateOptions("cpu")
        )
        later = max(file.stat().st_mtime_ns for file in self.store.folder.rglob("*")) + 1
        os.utime(self.store.folder / INDEX, ns=(later, later))
        return done

    @property
    def ids(self) -> list[str]:
        return [stimulus.id for stimulus in self.plan.stimuli]

    def survey(self) -> Found:
        found = find_missing(self.plan, self.store, SetIndex(self.store))
        return Found([s.id for s in found.missing], [s.id for s in found.misnamed], found.unchanged)

    def is_current(self) -> bool:
        return SetIndex(self.store).is_current()

    def record(self, i: int) -> Path:
        return self.store.folder / record_file(self.ids[i])

    def file(self, i: int, kind: str) -> Path:
        labels = planned_labels(self.plan.stimuli[i], self.plan.loaded.protocol.output)
        return self.store.folder / getattr(labels, kind)


def simulate(folder: Path, seeds: int) -> Place:
    """Write a finished set, and run its protocol once, which derives the rest."""
    place = written(folder, seeds)
    assert place.make().there == 2 * seeds
    return place


def written(folder: Path, seeds: int) -> Place:
    """Write the records and files of a finished set."""
    folder.mkdir(exist_ok=True)
    for i, name in enumerate("ab"):
        levels = np.random.default_rng(i).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{name}.png")
    (folder / "simulated.yaml").write_text(PROTOCOL.replace("SEEDS", str(seeds)))
    place, made = Place(folder), write_set(folder / "made", Wanted(("coffee",), seeds=(1,), size=(16, 16)))
    plan, store = place.plan, Store.create(folder / "set")
    store.write(PLAN, json_bytes({"format": 1, "protocol": {}, "ids": [s.id for s in plan.stimuli]}))
    write_originals(plan, store)
    (example,) = made.read_records()
    context = RunContext(plan, store, torch.device("cpu"), 1)
    for stimulus in plan.stimuli:
        _write(stimulus, example, made, context)
    return place


def _source(stimulus: PlannedStimulus, original: bytes, context: RunContext) -> dict[str, Any]:
    return source_record(stimulus.source, sha256_bytes(original), context.output).to_dict()


def _write(stimulus: PlannedStimulus, example: Record, made: Store, context: RunContext) -> None:
    """Write a stimulus with the picture of an example."""
    store, old = context.store, example.content
    labels = planned_labels(stimulus, context.output)
    changes = {
        **stimulus.recipe,
        "id": stimulus.id,
        "file": labels.file,
        "trace": old.trace.replace(file=labels.trace).to_dict(),
        "array": old.array.replace(file=labels.array).to_dict(),
        "source": _source(stimulus, store.read(labels.original), context),
        "condition": labels.condition,
    }
    record = Record.model_validate({"content": old.to_dict() | changes, "made": example.made.to_dict()})
    files = {
        labels.file: made.read(old.file),
        labels.trace: made.read(old.trace.file),
        labels.array: made.read(old.array.file),
        record_file(stimulus.id): json_bytes(record.to_dict()),
    }
    for name, data in files.items():
        file = store.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("simulated") / "small", seeds=4).folder


@pytest.fixture
def place(simulated: Path, tmp_path: Path) -> Place:
    """Return a copy to change; its files keep their times."""
    return Place(Path(shutil.copytree(simulated, tmp_path / "copy")))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files of sets that will be opened to be read."""
    names: list[str] = []
    reading = Store.open_for_reading

    def note(self: Store, name: str) -> object:
        names.append(name)
        return reading(self, name)

    monkeypatch.setattr(Store, "open_for_reading", note)
    return names


def everything(place: Place) -> dict[str, tuple[int, bytes]]:
    files = [file for file in place.store.folder.rglob("*") if file.is_file()]
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def replace(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_a_finished_set_is_not_read_again(tmp_path: Path, opened: list[str]) -> None:
    place = simulate(tmp_path / "large", seeds=200)
    assert sum(name.startswith("records/") for name in opened) > 400
    before = everything(place)
    opened.clear()
    seen: list[RunProgress] = []
    loaded = load_protocol(place.folder / "simulated.yaml")
    done = generate_set(loaded, place.store.folder, GenerateOptions("cpu"), seen.append)
    assert (done.planned, done.there, done.made) == (400, 400, 0)
    assert sorted(set(opened)) == [INDEX, PLAN]
    assert everything(place) == before


def test_a_simulated_set_is_sound(place: Place) -> None:
    assert verify_set(place.store).problems == []
    assert place.survey() == Found([], [], unchanged=True)
    assert place.is_current()


class TestRecords:
    """Changed, replaced, or gone."""

    def test_only_the_changed_is_read(self, place: Place, opened: list[str]) -> None:
        replace(place.record(2), '"host": "nowhere"', '"host": "nobody!"')  # of the same size
        assert place.survey() == Found([], [], unchanged=False)
        assert [name for name in opened if name.startswith("records/")] == [record_file(place.ids[2])]

    def test_an_edit_reaches_the_manifest(self, place: Place) -> None:
        replace(place.record(2), '"host": "nowhere"', '"host": "nobody!"')
        assert place.make().made == 0
        assert [entry["made"]["host"] for entry in json.loads(place.store.read(MANIFEST))["stimuli"]] == [
            *["nowhere"] * 2,
            "nobody!",
            *["nowhere"] * 5,
        ]
        assert verify_set(place.store).problems == []
        assert place.survey().unchanged

    def test_an_edited_label_is_put_right(self, place: Place) -> None:
        before = place.record(5).read_bytes()
        replace(place.record(5), '"condition": "texture"', '"condition": "texform"')
        assert place.survey() == Found([], [place.ids[5]], unchanged=False)
        assert place.make().made == 0
        assert place.record(5).read_bytes() == before
        assert verify_set(place.store).problems == []

    def test_one_that_is_gone(self, place: Place) -> None:
        place.record(3).unlink()
        assert place.survey() == Found([place.ids[3]], [], unchanged=False)

    def test_that_of_another_stimulus(self, place: Place) -> None:
        shutil.copy(place.record(0), place.record(3))
        assert place.survey() == Found([place.ids[3]], [], unchanged=False)

    def test_changed_in_the_tick_in_which_the_index_was_written(
        self, place: Place, opened: list[str]
    ) -> None:
        """It may have changed after it was read, and still have the same time: it is read again."""
        state = place.record(4).stat()
        os.utime(place.store.folder / INDEX, ns=(state.st_mtime_ns, state.st_mtime_ns))
        assert not place.survey().unchanged
        assert record_file(place.ids[4]) in opened

    def test_what_keeps_size_and_time_is_found_by_verify(self, place: Place) -> None:
        """As git does, the index goes by size and time; verifying goes by what is in the files."""
        time = place.record(2).stat().st_mtime_ns
        replace(place.record(2), '"seed": 3', '"seed": 4')
        os.utime(place.record(2), ns=(time, time))
        assert place.survey().unchanged
        name = record_file(place.ids[2])
        assert verify_set(place.store).problems == [
            f"{name}: its bytes do not match {CHECKSUMS}",
            f"{name}: its settings do not match its id",
            f"{MANIFEST}: does not match plan and records, first at {name}",
            f"{TABLE}: does not match plan and records",
        ]


@pytest.mark.parametrize("kind", ["file", "trace", "array"])
class TestFiles:
    """A record alone does not make a stimulus finished."""

    def test_gone(self, place: Place, kind: str) -> None:
        place.file(6, kind).unlink()
        assert place.survey() == Found([place.ids[6]], [], unchanged=False)

    def test_renamed(self, place: Place, kind: str) -> None:
        file = place.file(6, kind)
        file.rename(file.with_name(f"my_{file.name}"))
        assert place.survey() == Found([place.ids[6]], [], unchanged=False)

    def test_a_folder_in_its_place(self, place: Place, kind: str) -> None:
        place.file(6, kind).unlink()
        place.file(6, kind).mkdir()
        assert place.survey() == Found([place.ids[6]], [], unchanged=False)

    def test_its_whole_folder_gone(self, place: Place, kind: str) -> None:
        shutil.rmtree(place.file(6, kind).parent)
        assert place.ids[6] in place.survey().missing


@pytest.mark.parametrize(
    ("old", "new", "misnamed"),
    [
        ("licence: CC0-1.0", "licence: CC-BY-4.0", 4),
        ("{file: b.png}", "{file: b.png, credit: somebody}", 4),
        ("{file: b.png}", "{file: b.png, id: dusk}", 4),
        ("id: texture", "id: matter", 8),
        ("layout: nested", "layout: flat", 8),
        ("array: true", "array: false", 8),
        ("name: simulated", "name: renamed", 0),
        ("count: 4", "count: 3", 0),
    ],
)
def test_a_changed_protocol(place: Place, old: str, new: str, misnamed: int) -> None:
    """With the index as without it, and once more afterwards."""
    place.write(old, new)
    with_index = place.survey()
    assert len(with_index.misnamed) == misnamed
    assert with_index.missing == []
    index = place.store.folder / INDEX
    index.rename(place.folder / "index")
    assert place.survey() == Found([], with_index.misnamed, unchanged=False)
    (place.folder / "index").rename(index)
    assert place.make().made == 0
    assert place.survey().unchanged
    assert place.is_current()
    assert verify_set(place.store).problems == []
    title = json.loads(place.store.read(MANIFEST))["protocol"]["text"]
    assert new in title


class TestDerived:
    """Manifest, table and contact sheet are derived again when they, or what they say, changed."""

    @pytest.mark.parametrize("name", [MANIFEST, TABLE, SHEET, CHECKSUMS])
    @pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_bytes(b"spoilt")])
    def test_spoilt(self, place: Place, name: str, change: Callable[[Path], object]) -> None:
        before = {name: data for name, (_, data) in everything(place).items() if INDEX not in name}
        change(place.store.folder / name)
        assert place.survey().unchanged
        assert not place.is_current()
        assert place.make().made == 0
        assert {name: data for name, (_, data) in everything(place).items() if INDEX not in name} == before
        assert place.is_current()

    def test_interrupted_before_the_contact_sheet(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next run must not take the older sheet for that of the new protocol."""

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        place.write("count: 4", "count: 1")
        old = place.store.read(SHEET)
        with monkeypatch.context() as patch:
            patch.setattr(derived, "write_contact_sheet", interrupted)
            with pytest.raises(KeyboardInterrupt):
                place.make()
        assert place.store.read(SHEET) == old
        place.make()
        assert place.store.read(SHEET) != old
        assert place.is_current()


def flipped(data: bytes, i: int) -> bytes:
    changed = bytearray(data)
    changed[i] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\xff\0" * 1000,
        lambda _: b"[" * 100_000,
        lambda data: data[: len(data) // 2],
        *[lambda data, i=i: flipped(data, i) for i in (0, 33, 150, 200, -1)],
    ],
)
def test_a_damaged_index_is_derived_again(place: Place, damage: Callable[[bytes], bytes]) -> None:
    sound = place.store.read(INDEX)
    before = {name: data for name, (_, data) in everything(place).items()}
    file = place.store.folder / INDEX
    time = file.stat().st_mtime_ns
    file.write_bytes(damage(sound))
    os.utime(file, ns=(time, time))
    assert not (place.survey().unchanged and place.is_current())
    assert place.make().made == 0
    assert {name: data for name, (_, data) in everything(place).items()} == before
    assert place.survey().unchanged


def test_something_else_in_the_place_of_the_index(place: Place) -> None:
    (place.store.folder / INDEX).unlink()
    (place.store.folder / INDEX).symlink_to(place.folder / "elsewhere")
    (place.folder / "elsewhere").write_bytes(b"private")
    assert not place.survey().unchanged
