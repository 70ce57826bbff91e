"""Manifest and table: derived from plan and records, and from nothing else."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hand_made import TEXT, Wanted, write_set
from hypothesis import given
from hypothesis import strategies as st

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.manifest import build_pieces, write_manifest
from stimgen.stimulus_set.manifest_part import ManifestPart
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import MANIFEST, TABLE, PlanRecord, Store, json_bytes, record_file
from stimgen.stimulus_set.table import TABLE_COLUMNS, list_table_columns, table_row


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_set(tmp_path / "set")


def test_they_are_rebuilt_byte_for_byte_from_plan_and_records(store: Store) -> None:
    before = {name: store.read(name) for name in (MANIFEST, TABLE)}
    for file in store.folder.rglob("*"):
        if file.is_file() and file.suffix != ".json":
            file.unlink()
    (store.folder / MANIFEST).unlink()
    write_manifest(store)
    assert {name: store.read(name) for name in (MANIFEST, TABLE)} == before


class TestManifest:
    """The protocol, and the record of every stimulus."""

    def test_it_holds_the_protocol_and_every_record(self, store: Store) -> None:
        manifest = json.loads(store.read(MANIFEST))
        ids = store.read_plan().ids
        assert manifest["protocol"]["text"] == TEXT
        assert manifest["planned"] == 4
        assert manifest["complete"] is True
        assert [entry["content"]["id"] for entry in manifest["stimuli"]] == ids
        files = [json.loads(store.read(record_file(stimulus))) for stimulus in ids]
        assert manifest["stimuli"] == files

    @pytest.mark.parametrize("unfinished", [0, 1, 3, 4])
    def test_its_pieces_make_one_json(self, tmp_path: Path, unfinished: int) -> None:
        store = write_set(tmp_path / "set", unfinished=unfinished)
        whole = {
            "format": 1,
            "protocol": store.read_plan().protocol,
            "planned": 4,
            "complete": unfinished == 0,
            "stimuli": [record.to_dict() for record in store.read_records()],
        }
        assert store.read(MANIFEST) == json_bytes(whole)

    def test_it_says_when_something_is_missing(self, tmp_path: Path) -> None:
        manifest = json.loads(write_set(tmp_path / "set", unfinished=3).read(MANIFEST))
        assert (manifest["planned"], manifest["complete"], len(manifest["stimuli"])) == (4, False, 1)

    def test_a_record_that_the_plan_does_not_name_is_left_out(self, store: Store) -> None:
        plan = store.read_plan()
        store.write("plan.json", json_bytes(plan.replace(ids=plan.ids[1:]).to_dict()))
        write_manifest(store)
        stimuli = json.loads(store.read(MANIFEST))["stimuli"]
        assert [entry["content"]["id"] for entry in stimuli] == plan.ids[1:]
        assert store.read(TABLE).count(b"\n") == 4

    def test_of_a_set_from_before_a_key_was_known_nothing_changes(self, store: Store) -> None:
        """A later stimgen must find the set as it was."""
        for stimulus in store.read_plan().ids:
            record = json.loads(store.read(record_file(stimulus)))
            del record["made"]["processor"], record["content"]["changes"], record["content"]["snapshots"]
            store.write(record_file(stimulus), json_bytes(record))
        write_manifest(store)
        stimuli = json.loads(store.read(MANIFEST))["stimuli"]
        assert stimuli == [json.loads(store.read(record_file(key))) for key in store.read_plan().ids]

    def test_it_is_utf_8(self, store: Store) -> None:
        assert "µ".encode() in store.read(MANIFEST)

    def test_a_damaged_record_stops_it_and_leaves_the_old_one(self, store: Store) -> None:
        before = store.read(MANIFEST)
        (store.folder / record_file(store.read_plan().ids[0])).write_text("{")
        with pytest.raises(StimgenError, match="is damaged"):
            write_manifest(store)
        assert store.read(MANIFEST) == before


class TestTable:
    """One row a stimulus, flat columns."""

    def test_columns_and_rows(self, store: Store) -> None:
        frame = pd.read_csv(io.BytesIO(store.read(TABLE)), dtype={"id": str})
        assert list(frame.columns) == list(TABLE_COLUMNS)
        assert list(frame["id"]) == store.read_plan().ids
        assert list(frame["source"]) == ["brick", "brick", "coffee", "coffee"]
        assert list(frame["seed"]) == [1, 2, 1, 2]
        for _, row in frame.iterrows():
            content = store.read_record(row["id"]).content
            assert row["file"] == content.file
            assert row["original_file"] == content.source.original.file
            assert row["loss_saved"] == content.losses.saved.total  # every digit

    @pytest.mark.parametrize("licence", ["CC-BY-4.0", 'say "hello"', "two\r\nlines", "\r=1", "", None])
    def test_it_is_what_pandas_would_write(self, tmp_path: Path, licence: str | None) -> None:
        store = write_set(tmp_path / "set", Wanted(licence=licence))
        frame = pd.DataFrame(
            [table_row(record) for record in store.read_records()], columns=list(TABLE_COLUMNS)
        )
        frame["licence"] = [{"\r=1": "'\r=1"}.get(licence, licence)] * 4
        text = frame.to_csv(None, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        assert store.read(TABLE) == text.encode()

    def test_an_empty_set_has_a_header(self, tmp_path: Path) -> None:
        store = write_set(tmp_path / "set", unfinished=4)
        assert store.read(TABLE).decode() == ",".join(f'"{name}"' for name in TABLE_COLUMNS) + "\n"

    @pytest.mark.parametrize(
        "licence", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")']
    )
    def test_formulas_are_neutralised(self, tmp_path: Path, licence: str) -> None:
        store = write_set(tmp_path / "set", Wanted(licence=licence))
        assert [row["licence"] for row in rows(store.read(TABLE))] == ["'" + licence] * 4
        record = store.read_record(store.read_plan().ids[0])
        assert record.content.source.licence == licence  # the record says what the protocol says

    @pytest.mark.parametrize(
        "licence", ["CC-BY-4.0", "µ, ünïcode 日本", 'say "hello"', "two\nlines", "a=b", None]
    )
    def test_other_text_comes_back(self, tmp_path: Path, licence: str | None) -> None:
        store = write_set(tmp_path / "set", Wanted(licence=licence))
        assert [row["licence"] for row in rows(store.read(TABLE))] == [licence or ""] * 4


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8"), newline="")))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    store = write_set(tmp_path_factory.mktemp("one") / "set")
    return next(store.read_records())


def derived(*records: Record) -> tuple[bytes, bytes]:
    """Return manifest and table."""
    plan = PlanRecord(protocol={"text": TEXT}, ids=["a" * 16])
    part = ManifestPart(list_table_columns(plan))
    for record in records:
        part.add("records", json_bytes(record.to_dict()), record)
    found = list(build_pieces(plan, [part], complete=True))
    return b"".join(piece.manifest for piece in found), b"".join(piece.table for piece in found)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(TEXTS, TEXTS)
def test_whatever_stands_in_a_record_no_cell_is_a_formula(record: Record, licence: str, file: str) -> None:
    source = record.content.source.replace(licence=licence, file=file)
    changed = record.replace(content=record.content.replace(source=source))
    (found,) = rows(derived(changed)[1])
    assert set(found) == set(TABLE_COLUMNS)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in found.values())
    assert found["licence"].removeprefix("'") == licence.removeprefix("'")
    assert found["source_file"].removeprefix("'") == file.removeprefix("'")


@given(TEXTS)
def test_whatever_stands_in_a_record_the_manifest_is_json(record: Record, licence: str) -> None:
    source = record.content.source.replace(licence=licence)
    changed = record.replace(content=record.content.replace(source=source))
    found = json.loads(derived(changed)[0])
    assert found["stimuli"][0]["content"]["source"]["licence"] == licence
    assert Record.model_validate(found["stimuli"][0]) == changed
