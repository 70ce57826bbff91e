"""The page of a set, without a browser: what is in it, and where it is written."""

from __future__ import annotations

import base64
import json
import re
from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hand_made import Wanted, write_set

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.report import pictures
from stimgen.report.details import MOST_POINTS, MOST_SNAPSHOTS, read_curve
from stimgen.report.rules import CLIPPED, COPIED, RULES, compute_score, find_outliers
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.report import write_report


class Read(HTMLParser):
    """What stands in a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.text = page.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources += [value for name, value in attrs if name == "src" and value]

    @property
    def pictures(self) -> list[bytes]:
        return [base64.b64decode(source.partition("base64,")[2]) for source in self.sources]

    @property
    def details(self) -> list[dict[str, Any]]:
        found = re.findall(r'<script type="application/json">(.*?)</script>', self.text, re.DOTALL)
        return [json.loads(text) for text in found]


def changed(store: Store, change: Any, number: int = 0) -> Record:
    """Change a record on the disk; return it."""
    stimulus = store.read_plan().ids[number]
    record = json.loads(store.read(record_file(stimulus)))
    change(record["content"])
    store.write(record_file(stimulus), json_bytes(record))
    return store.read_record(stimulus)


def test_the_same_set_gives_the_same_bytes_and_stays_sound(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    first, size = write_report(tmp_path / "set")
    second, _ = write_report(tmp_path / "set", tmp_path / "elsewhere" / "page.html")
    assert first == tmp_path / "set_report.html"
    assert first.read_bytes() == second.read_bytes()
    assert size == len(first.read_bytes())
    assert verify_set(store).sound


def test_it_is_never_written_into_the_set(tmp_path: Path) -> None:
    write_set(tmp_path / "set")
    for name in ("page.html", "images/page.html", "../set/page.html"):
        with pytest.raises(StimgenError, match="inside the set"):
            write_report(tmp_path / "set", tmp_path / "set" / name)
    (tmp_path / "link").symlink_to(tmp_path / "set")
    with pytest.raises(StimgenError, match="inside the set"):
        write_report(tmp_path / "set", tmp_path / "link" / "page.html")
    assert write_report(tmp_path / "link")[0] == tmp_path / "set_report.html"


def test_few_pictures_are_the_files_themselves(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    read = Read(write_report(tmp_path / "set")[0])
    contents = [record.content for record in store.read_records()]
    expected = {content.sha256 for content in contents} | {c.source.original.sha256 for c in contents}
    assert {sha256_bytes(picture) for picture in read.pictures} == expected
    assert all(details["exact"] for details in read.details)


def test_many_pictures_are_smaller_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path / "set", Wanted(size=(200, 150)))
    monkeypatch.setattr(pictures, "MAX_BYTES", 50_000)
    read = Read(write_report(tmp_path / "set")[0])
    assert all(picture.startswith(b"\xff\xd8") for picture in read.pictures)
    assert 'width="128" height="96"' in read.text
    assert "copies with sides of at most 128 pixels" in read.text
    assert not any(details["exact"] for details in read.details)


def test_of_very_many_some_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", Wanted(seeds=tuple(range(1, 11))))
    read = Read(write_report(tmp_path / "set", most=5)[0])
    assert len(read.details) == 5
    assert "5 of 20 stimuli are shown" in read.text
    assert "They are of the 5 stimuli that are shown below" in read.text  # are differences between conditions
    ids = sorted(store.read_plan().ids)[:5]
    assert {dict(details["groups"][0][1])["Id"] for details in read.details} == set(ids)
    assert "Show these 5 stimuli" in read.text  # clipped, as all are
    assert "texture: 10 of 20" in read.text
    assert {details["title"].split(",")[0] for details in read.details} == {"brick", "coffee"}


def test_a_picture_that_is_not_its_records_is_not_shown(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    contents = [record.content for record in store.read_records()]
    (store.folder / contents[1].file).write_bytes(store.read(contents[0].file))
    with pytest.raises(StimgenError, match=r"brick.*its bytes do not match its record"):
        write_report(tmp_path / "set")
    assert not (tmp_path / "set_report.html").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_a_set_without_a_stimulus_has_no_page(tmp_path: Path) -> None:
    write_set(tmp_path / "set", unfinished=4)
    with pytest.raises(StimgenError, match="no stimulus is finished yet"):
        write_report(tmp_path / "set")


def test_every_rule_warns_from_its_limit_on(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")

    def warned(change: Any) -> list[str]:
        content = changed(store, change).content
        return [key for key, rule in RULES.items() if rule.holds(content)]

    assert warned(lambda c: c["clipped"].update(saved=0.0)) == []
    assert warned(lambda c: c["clipped"].update(saved=CLIPPED)) == ["clipped"]
    assert warned(lambda c: c["clipped"].update(saved=CLIPPED - 0.001, source=CLIPPED)) == ["clipped"]
    assert warned(lambda c: c["clipped"].update(source=0.0)) == []
    assert warned(lambda c: c["quality"].update(largest_copy=COPIED)) == ["copied"]
    assert warned(lambda c: c["quality"].update(largest_copy=None, converged=False)) == ["not-converged"]
    assert warned(lambda c: c["quality"].update(converged=None)) == []
    assert warned(lambda c: c.update(quality=None)) == []


def test_scores_are_the_judges_or_logarithms_of_losses(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    loss = {"total": 100.0, "parts": {}}
    found = changed(store, lambda c: c["losses"].update(saved=loss))
    assert compute_score(found.content) == pytest.approx(4.60517, abs=1e-5)
    found = changed(store, lambda c: c["losses"].update(saved=None, end={"total": 0.0, "parts": {}}))
    assert compute_score(found.content) is None
    judge = {"network": "n", "weights_sha256": None, "layers": [], "score": 0.25, "halves": None}
    assert compute_score(changed(store, lambda c: c["quality"].update(judge=judge)).content) == 0.25


def test_outliers_are_those_far_above_their_own_condition() -> None:
    even = [(i, 1.0 + 0.01 * i) for i in range(10)]
    assert find_outliers({"a": even}) == set()
    assert find_outliers({"a": [*even, (10, 5.0)], "b": [(11 + i, 5.0 + 0.01 * i) for i in range(6)]}) == {10}
    assert find_outliers({"a": [*even, (10, -5.0)]}) == set()  # better than the others
    assert find_outliers({"a": [(0, 1.0), (1, 1.1), (2, 1.2), (3, 99.0)]}) == set()  # too few to say
    assert (
        find_outliers({"a": [(i, 1.0) for i in range(9)] + [(9, 2.0)]}) == set()
    )  # no spread to compare with
    # Median 3, median absolute deviation 1: from 3 + 3.5 * 1.4826 = 8.19 on.
    assert find_outliers({"a": list(enumerate([1.0, 2.0, 3.0, 4.0, 8.1]))}) == set()
    assert find_outliers({"a": list(enumerate([1.0, 2.0, 3.0, 4.0, 8.3]))}) == {4}


def test_curves_keep_the_ends_of_every_scale(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    rows = [f"0,{i},{1 / i}" for i in range(1, 501)] + [f"1,{i},{2 / i}" for i in range(1, 4)] + ["1,4,0.0"]
    content = with_trace(store, "scale,evaluation,total\n" + "\n".join(rows) + "\n").content
    found = read_curve(store, content)
    assert [len(scale) <= MOST_POINTS + 1 for scale in found] == [True, True]
    assert (found[0][0], found[0][-1]) == ((1, 1.0), (500, 0.002))
    assert found[1] == [(501, 2.0), (502, 1.0), (503, 0.6667)]


@pytest.mark.parametrize(
    "text", ["", "total\n", "scale,total\n0,x\n", "scale,total\n0\n", "a,b\n1,2\n", "\0\n\x01"]
)
def test_traces_of_strangers_are_drawn_or_refused(tmp_path: Path, text: str) -> None:
    store = write_set(tmp_path / "set")
    content = with_trace(store, text).content
    with nullcontext() if text in ("", "total\n") else pytest.raises(StimgenError, match="is not a trace"):
        assert read_curve(store, content) == []


def with_trace(store: Store, text: str) -> Record:
    file = "traces/other.csv"
    store.write(file, text.encode())
    return changed(store, lambda c: c.update(trace={"file": file, "sha256": sha256_bytes(text.encode())}))


def test_snapshots_are_shown_with_their_ends(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set")
    picture = next(store.read_records()).content
    files = [
        {"file": picture.file, "sha256": picture.sha256, "scale": i // 20, "evaluation": i + 1}
        for i in range(40)
    ]
    changed(store, lambda c: c.update(snapshots={"every": 1, "files": files}))
    shown = Read(write_report(tmp_path / "set")[0]).details[0]["snapshots"]
    assert len(shown) == MOST_SNAPSHOTS
    assert [shown[0][1], shown[-1][1]] == ["scale 1, evaluation 1", "scale 2, evaluation 40"]
    assert shown[0][0].startswith("data:image/jpeg;base64,/9j/")
