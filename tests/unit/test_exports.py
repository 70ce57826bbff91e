"""Sets in the formats of others: read by the real reader of each, they are the same stimuli."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files as files_of_package
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import readers
from bids_validator import validate_bids
from hand_made import Wanted, write_set
from jsonschema import Draft7Validator, FormatChecker

from stimgen.export.sets import EXPORTERS
from stimgen.export.sets.columns import list_set_columns
from stimgen.images.write import decode_png
from stimgen.protocol.load import load_protocol
from stimgen.protocol.publication import build_publication
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.manifest import write_manifest
from stimgen.stimulus_set.store import Store, json_bytes, record_file
from stimgen.stimulus_set.table import TABLE_COLUMNS
from stimgen.workflow.export import export_set

ABOUT = {
    "title": "Two textures",
    "version": "1.0",
    "licence": "CC-BY-4.0",
    "doi": "10.5281/zenodo.1234",
    "notes": "For tests.\n",
    "authors": [
        {"name": "Lov\u00e9lace, Ada", "orcid": "0000-0002-1825-0097", "affiliation": "London"},
        {"name": "The Group"},
    ],
}
# What a stranger may write where a record has text.
HOSTILE = [
    '=HYPERLINK("http://x.example")',
    " +1+1",
    "[__import__('os').mkdir('ran')]",
    "<script>alert(1)</script>",
    "\u202egnp.exe\x1b[2J\ta\nb",
    "@SUM(1)",
]
FOLDERS = ("croissant", "frictionless", "ro-crate")
ARRAYS = ("hdf5", "psychtoolbox", "zarr")


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    about = ABOUT | build_publication(load_protocol("wallis2017_ps").protocol)
    folder = tmp_path_factory.mktemp("handing") / "set"
    return write_set(folder, Wanted(about=about)).folder


def hostile(folder: Path) -> Store:
    """Write a sound set in which whatever a stranger may call things is hostile."""
    about = ABOUT | {
        "title": HOSTILE[3],
        "licence": HOSTILE[0],
        "authors": [{"name": HOSTILE[4]}],
        "notes": HOSTILE[4],
    }
    store = write_set(folder, Wanted(sources=("brick", "coffee", "grass"), seeds=(1, 2), about=about))
    for stimulus, text in zip(store.read_plan().ids, HOSTILE, strict=True):
        changed(
            store,
            stimulus,
            condition=text,
            source={"id": text, "credit": text, "licence": text, "file": text},
        )
    write_derived_files(store)
    return store


def changed(store: Store, stimulus: str, source: dict[str, Any], **content: Any) -> None:
    record = store.read_record(stimulus).to_dict()
    record["content"] |= content | {"source": record["content"]["source"] | source}
    (store.folder / record_file(stimulus)).write_bytes(json_bytes(record))


def by_id(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Return condition and pixels of every stimulus of a set."""
    found = StimulusSet(folder)
    return {i: (record.content.condition, found.image(i).tobytes()) for i, record in found.records.items()}


def pixels(file: Path) -> bytes:
    return decode_png(file.read_bytes(), file).tobytes()


def exported(folder: Path, name: str, tmp_path: Path) -> Path:
    export_set(folder, name, tmp_path / "out")
    return tmp_path / "out"


def test_every_format_is_tested_here() -> None:
    assert set(EXPORTERS.members) == {"bids", "psychopy", "psyexp", "zip", *FOLDERS, *ARRAYS, "brainscore"}


def test_every_column_of_the_table_is_described() -> None:
    assert [column.name for column in list_set_columns()] == list(TABLE_COLUMNS)
    kinds = {column.name: column.kind for column in list_set_columns()}
    assert (kinds["id"], kinds["seed"], kinds["loss_end"], kinds["converged"]) == (
        "text",
        "whole",
        "number",
        "truth",
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_the_set_and_more(stimuli: Path, tmp_path: Path, name: str) -> None:
    out = exported(stimuli, name, tmp_path)
    assert by_id(out) == by_id(stimuli)
    more = {file.name for file in out.iterdir()} - {file.name for file in stimuli.iterdir()}
    assert more == {
        {"croissant": "croissant.json", "frictionless": "datapackage.json"}.get(
            name, "ro-crate-metadata.json"
        )
    }


def test_an_archive_is_the_set(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "zip", tmp_path)
    with ZipFile(out) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "in")
    folder = tmp_path / "in" / "hand-made"
    assert by_id(folder) == by_id(stimuli)
    lines = (folder / "checksums.sha256").read_text().splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines)
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "checksums.sha256"]
    assert sums == {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_the_same_set_gives_the_same_archive(stimuli: Path, tmp_path: Path) -> None:
    shutil.copytree(
        stimuli, tmp_path / "copy", copy_function=shutil.copy
    )  # at another time, in another order
    os.utime(next((tmp_path / "copy" / "images").iterdir()), (1e9, 1e9))
    (tmp_path / "copy" / "images" / "notes").mkdir()
    (tmp_path / "copy" / "images" / "notes").rmdir()
    export_set(stimuli, "zip", tmp_path / "a.zip")
    export_set(tmp_path / "copy", "zip", tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_bids_is_valid_and_read_back(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "bids", tmp_path)
    assert validate_bids(out).errors == []
    table = pd.read_csv(out / "stimuli" / "stimuli.tsv", sep="\t", na_values="n/a", index_col="stim_id")
    described = json.loads((out / "stimuli" / "stimuli.json").read_text())
    assert set(described) == {"stim_id", *table.columns}
    found = {
        label.removeprefix("stim-"): (row.condition, pixels(out / "stimuli" / f"{label}_image.png"))
        for label, row in table[table.original_id.notna()].iterrows()
    }
    assert found == by_id(stimuli)
    originals = table[table.original_id.isna()]
    assert set(originals.index) == set(table.original_id.dropna())
    details = json.loads((out / "stimuli" / f"stim-{next(iter(found))}_image.json").read_text())
    assert details["License"] == "CC-BY-4.0"
    assert details["StimgenRecord"]["seed"] == 1


def test_a_ro_crate_is_read_back(stimuli: Path, tmp_path: Path) -> None:
    # .ci/run has its validator, in an environment of its own.
    out = exported(stimuli, "ro-crate", tmp_path)
    found = readers.crate_files(out)
    assert (found["name"], found["license"]) == ("Two textures", "https://spdx.org/licenses/CC-BY-4.0.html")
    hashes = {
        f.relative_to(stimuli).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files(stimuli)
    }
    assert dict(found["files"]) == hashes


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_ro_crate_says_what_was_made_from_what(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "ro-crate", tmp_path)
    graph = {
        entity["@id"]: entity for entity in json.loads((out / "ro-crate-metadata.json").read_text())["@graph"]
    }
    root = graph["./"]
    assert (root["name"], root["license"]) == (
        "Two textures",
        {"@id": "https://spdx.org/licenses/CC-BY-4.0.html"},
    )
    assert [graph[a["@id"]]["name"] for a in root["author"]] == ["Ada Lov\u00e9lace", "The Group"]
    made = graph["#generation"]
    assert len(made["result"]) == 4
    assert len(made["object"]) == 2
    for part in root["hasPart"]:
        file = out / part["@id"]
        assert graph[part["@id"]]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def in_colour(levels: np.ndarray) -> str:
    """Return the hash of pixels in three channels, as mlcroissant opens every picture."""
    height, width, _ = levels.shape
    return hashlib.sha256(np.broadcast_to(levels, (height, width, 3)).tobytes()).hexdigest()


def test_croissant_is_valid_and_read_back(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "croissant", tmp_path)
    found = readers.croissant_records(out / "croissant.json")
    assert found["problems"] == []
    pictures = dict(found["pictures"])
    again = {i: (condition, pictures[file.rpartition("/")[2]]) for i, condition, file in found["stimuli"]}
    assert again == {i: (c, in_colour(StimulusSet(stimuli).image(i))) for i, (c, _) in by_id(stimuli).items()}


def test_frictionless_is_valid_and_read_back(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "frictionless", tmp_path)
    found = readers.frictionless_rows(out / "datapackage.json")
    assert found["problems"] == []
    assert {row["id"]: row["condition"] for row in found["rows"]} == {
        i: c for i, (c, _) in by_id(stimuli).items()
    }
    assert [row["converged"] for row in found["rows"]] == [True, False, True, False]
    picture = out / found["rows"][0]["file"]
    picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    assert readers.frictionless_rows(out / "datapackage.json")["problems"]


def test_psychopy_reads_the_conditions(stimuli: Path, tmp_path: Path) -> None:
    out = exported(stimuli, "psychopy", tmp_path)
    rows = readers.psychopy_conditions(out / "conditions.csv")
    assert {
        row["stimulus_id"]: (row["condition"], pixels(out / row["stimulus_file"])) for row in rows
    } == by_id(stimuli)
    found = StimulusSet(stimuli)
    for row in rows:
        assert pixels(out / row["original_file"]) == found.original(row["stimulus_id"]).tobytes()
        assert row["seed"] in (1, 2)


@pytest.mark.parametrize("name", sorted(EXPORTERS.members))
def test_a_strangers_text_is_harmless_everywhere(tmp_path: Path, name: str) -> None:
    store = hostile(tmp_path / "set")
    out = exported(store.folder, name, tmp_path)
    if name == "psychopy":
        rows = readers.psychopy_conditions(out / "conditions.csv")
        assert not (out / "ran").exists()
        assert not Path("ran").exists()
        assert [row["stimulus_id"] for row in rows] == store.read_plan().ids
    elif name == "bids":
        assert validate_bids(out).errors == []
        table = (out / "stimuli" / "stimuli.tsv").read_text()
        assert not {"\u202e", "\x1b"} & set(table)
        assert all(
            not cell.startswith(tuple("=+-@")) for line in table.splitlines() for cell in line.split("\t")
        )
    elif name == "frictionless":
        assert readers.frictionless_rows(out / "datapackage.json")["problems"] == []
    elif name == "croissant":
        assert readers.croissant_records(out / "croissant.json")["problems"] == []


@pytest.mark.parametrize(
    "file", ["../outside.png", "/etc/passwd", "images/link.png", "images/a b.png", "images/\u202ea.png"]
)
@pytest.mark.parametrize("name", sorted(EXPORTERS.members))
def test_files_that_lead_out_or_have_odd_names_are_refused(tmp_path: Path, name: str, file: str) -> None:
    store = write_set(tmp_path / "set")
    first = store.read_plan().ids[0]
    content = store.read_record(first).content
    picture = store.read(content.file)
    (tmp_path / "outside.png").write_bytes(picture)
    (store.folder / "images" / "link.png").symlink_to(tmp_path / "outside.png")
    for odd in ("images/a b.png", "images/\u202ea.png"):
        (store.folder / odd).write_bytes(picture)
    changed(store, first, source={}, file=file)
    write_manifest(store)
    with pytest.raises(StimgenError):
        exported(store.folder, name, tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["outside.png", "set"]


@pytest.mark.parametrize("name", sorted(EXPORTERS.members))
def test_nothing_is_left_of_what_failed(
    stimuli: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def failing(self: Any, file: str, sha256: str | None = None) -> bytes:
        calls.append((file, sha256))
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        return self._store.read(file)

    monkeypatch.setattr("stimgen.export.sets.contents.SetContents.read", failing)
    with pytest.raises(StimgenError, match="No space left"):
        exported(stimuli, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_export_takes_no_others_place(stimuli: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("all of it")
    (tmp_path / "empty").mkdir()
    (tmp_path / "thesis.zip").write_text("all of it")
    for name, target in (("bids", "full"), ("zip", "thesis.zip"), ("zip", "empty")):
        with pytest.raises(StimgenError, match="already exists|is a folder"):
            export_set(stimuli, name, tmp_path / target)
    assert (
        (tmp_path / "full" / "thesis.txt").read_text() == (tmp_path / "thesis.zip").read_text() == "all of it"
    )
    export_set(stimuli, "bids", tmp_path / "empty")
    assert (tmp_path / "empty" / "stimuli" / "stimuli.tsv").is_file()


@pytest.mark.parametrize("name", sorted(EXPORTERS.members))
def test_damaged_and_unfinished_sets_are_not_handed_on(tmp_path: Path, name: str) -> None:
    store = write_set(tmp_path / "unfinished", unfinished=1)
    with pytest.raises(StimgenError, match="not complete: 3 of 4"):
        exported(store.folder, name, tmp_path)
    store = write_set(tmp_path / "damaged")
    file = next((store.folder / "images").iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StimgenError, match=f"not sound: .*{file.name}"):
        exported(store.folder, name, tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", sorted(EXPORTERS.members))
def test_a_set_of_which_little_is_said_is_handed_on(tmp_path: Path, name: str) -> None:
    store = write_set(tmp_path / "set", Wanted(licence=None, about={"name": "<b>", "version": "first draft"}))
    out = exported(store.folder, name, tmp_path)
    if name == "bids":
        assert validate_bids(out).errors == []
    elif name == "croissant":
        assert readers.croissant_records(out / "croissant.json")["problems"] == []


def test_no_export_lies_within_its_set(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    with pytest.raises(StimgenError, match="inside the set"):
        export_set(store.folder, "bids", store.folder / "bids")
    assert not (store.folder / "bids").exists()


def test_an_unknown_format_names_the_nearest(stimuli: Path, tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match="did you mean 'croissant'"):
        export_set(stimuli, "croisant", tmp_path / "out")


def test_sets_are_handed_on_without_torch(stimuli: Path, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "torch.py").write_text("raise SystemError('torch was imported')\n")
    code = "import sys; from stimgen.cli.main import main; sys.argv[0] = 'stimgen'; main()"
    for arguments in (["cite", stimuli], ["export", stimuli, "--format", "psychopy", "-o", tmp_path / "out"]):
        command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_an_archive_tells_repositories_what_it_is(stimuli: Path, tmp_path: Path) -> None:
    with ZipFile(exported(stimuli, "zip", tmp_path)) as archive:
        zenodo, datacite = (json.loads(archive.read(name)) for name in (".zenodo.json", "datacite.json"))
    assert zenodo["upload_type"] == "dataset"
    assert (zenodo["title"], zenodo["license"], zenodo["version"]) == ("Two textures", "cc-by-4.0", "1.0")
    assert zenodo["creators"] == [
        {"name": "Lov\u00e9lace, Ada", "orcid": "0000-0002-1825-0097", "affiliation": "London"},
        {"name": "The Group"},
    ]
    cited = {one["identifier"] for one in zenodo["related_identifiers"]}
    assert {"10.1167/17.12.5", "10.1023/A:1026553619983"} <= cited
    schema = files_of_package("datacite") / "schemas" / "datacite-v4.5.json"
    Draft7Validator(json.loads(schema.read_text()), format_checker=FormatChecker()).validate(datacite)
    assert datacite["creators"][0]["nameIdentifiers"][0]["nameIdentifier"].endswith("0000-0002-1825-0097")
    assert {one["relatedIdentifier"] for one in datacite["relatedIdentifiers"]} == cited


def test_a_deposit_of_which_little_is_known_still_fits_the_schema(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", Wanted(licence=None))
    with ZipFile(exported(store.folder, "zip", tmp_path)) as archive:
        datacite = json.loads(archive.read("datacite.json"))
    schema = files_of_package("datacite") / "schemas" / "datacite-v4.5.json"
    Draft7Validator(json.loads(schema.read_text()), format_checker=FormatChecker()).validate(datacite)


@pytest.mark.parametrize("name", ["psychopy", "psyexp"])
def test_quotes_and_spaces_arrive_in_builder(tmp_path: Path, name: str) -> None:
    store = write_set(tmp_path / "set")
    names = ['a "quoted", name', "it's a name", " K\u00e4se; 2 ", "a\tb"]
    for stimulus, text in zip(store.read_plan().ids, names, strict=True):
        changed(store, stimulus, condition=text, source={"id": text})
    write_derived_files(store)
    out = exported(store.folder, name, tmp_path)
    rows = readers.psychopy_conditions(out / "conditions.csv")
    # White space at the ends of names is cut off, and a tab is a space.
    assert [row["condition"] for row in rows] == [*names[:2], "K\u00e4se; 2", "a b"]


def test_bids_tells_what_sources_show(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    tags = "Item/Object/Man-made-object, (Color, Red)"
    for stimulus in store.read_plan().ids:
        changed(store, stimulus, source={"description": "a wall, in the rain", "hed": tags})
    write_derived_files(store)
    out = exported(store.folder, "bids", tmp_path)
    assert validate_bids(out).errors == []
    table = pd.read_csv(out / "stimuli" / "stimuli.tsv", sep="\t", na_values="n/a")
    originals = table[table.original_id.isna()]
    assert originals.HED.tolist() == [tags, tags]
    assert table[table.original_id.notna()].HED.isna().all()
    assert table.description.str.endswith("(a wall, in the rain)").all()
