"""The participant's form: only what is asked for, kept apart, replaced whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import check_form, parse_form_answers, write_form
from stimgen.reading.errors import StimgenError

ASKED = ("age", "vision", "notes")
WHOLE = {"notes": " tired \n", "age": "24", "vision": ""}


def test_answers_are_stripped_and_come_in_the_order_asked_for() -> None:
    assert list(check_form(ASKED, WHOLE).items()) == [("age", "24"), ("vision", ""), ("notes", "tired")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"agee": "24"}, "does not ask for 'agee'\n  allowed: age, vision, notes\n  did you mean 'age'?"),
        ({"age": "old"}, "the form's age is 'old'"),
        ({"age": "-1"}, "such as 24"),
        ({"age": "nan"}, "such as 24"),
        ({"notes": "x" * 1001}, "notes has 1001 characters; 1000 are allowed"),
    ],
)
def test_answers_that_are_refused(change: dict[str, str], said: str) -> None:
    with pytest.raises(StimgenError) as caught:
        check_form(ASKED, WHOLE | change)
    assert said in str(caught.value)


def test_what_is_missing_is_named_with_the_way_to_say_nothing() -> None:
    with pytest.raises(StimgenError) as caught:
        check_form(ASKED, {"notes": ""})
    assert "asks participants for age, vision" in str(caught.value)
    assert "--form age= if it is not told" in str(caught.value)


@pytest.mark.parametrize(("given", "said"), [(["age"], "FIELD=ANSWER"), (["age=1", "age=2"], "given twice")])
def test_options_that_are_no_answers(given: list[str], said: str) -> None:
    with pytest.raises(StimgenError, match=said):
        parse_form_answers(given)


def test_a_form_lies_apart_and_survives_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    participant = Participant("07", "2")
    file = DataFolder(tmp_path).form_file(participant)
    write_form(file, participant, {"age": "24"})
    assert file.relative_to(tmp_path) == Path("participants/sub-07_ses-2.json")
    expected = {"format": 1, "participant": "07", "session": "2", "answers": {"age": "24"}}
    assert json.loads(file.read_bytes()) == expected

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StimgenError, match="No space left"):
        write_form(file, participant, {"age": "25"})
    assert json.loads(file.read_bytes()) == expected
    assert [one.name for one in file.parent.iterdir()] == [file.name]
