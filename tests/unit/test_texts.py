"""Texts of a session: keys of the participant in them, pages in place of missing texts, and their checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hand_made_experiment import write_experiment, write_its_set

from stimgen import StimgenError
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.experiment.trials.keys import assign_keys
from stimgen.experiment.trials.texts import fill_texts
from stimgen.workflow.trials import list_trials

BASE: dict[str, Any] = {
    "name": "e",
    "stimuli": {"sets": ["set"]},
    "paradigm": {"name": "same_different"},
    "schedule": {"name": "constant", "repetitions": 1},
    "display": {"resolution": [400, 300], "pixels_per_degree": 20},
}


def fill(texts: dict[str, Any], participant: str = "01", **settings: Any) -> Instructions:
    experiment = Experiment.model_validate({**BASE, **settings})
    keys = assign_keys(experiment, Participant(participant))
    return fill_texts(experiment, Instructions.model_validate(texts), keys)


def test_keys_that_are_swapped_are_shown_right() -> None:
    texts = {"start": "{key:same} = same, {key:different} = different", "block": "{key:same}?"}
    swap = {"responses": {"swap": True}}
    assert fill(texts, "01", **swap).start == "s = same, d = different"
    assert fill(texts, "02", **swap).start == "d = same, s = different"
    assert (fill(texts, "01", **swap).block, fill(texts, "02", **swap).block) == ("s?", "d?")


def test_every_text_may_name_keys_and_braces_of_others_stay() -> None:
    names = ("start", "ready", "practice", "practice_again", "block", "rest", "end", "pause", "waiting")
    filled = fill(dict.fromkeys(names, "{score} {left} {key:same}"))
    assert {getattr(filled, name) for name in names} == {"{score} {left} s"}


def test_keys_have_words_in_the_language() -> None:
    responses = {"keys": {"same": ["left", "space"], "different": "right"}}
    assert fill({"start": "{key:same}"}, responses=responses).start == "left arrow / space bar"
    german = {
        "start": "{keys}",
        "answers": {"same": "gleich"},
        "keys": {"left": "Pfeil links", "space": "Leertaste"},
    }
    assert fill(german, responses=responses).start == (
        "gleich: Pfeil links / Leertaste\ndifferent: right arrow"
    )


def test_words_of_buttons_clicks_and_typed_answers() -> None:
    buttons = {"device": "buttons", "keys": {"same": "left", "different": "right"}}
    assert fill({"start": "{key:same}"}, responses=buttons).start == "left mouse button"
    texts = {"start": "{key:same}, {keys}", "answers": {"same": "Equal"}}
    assert fill(texts, responses={"device": "mouse"}).start == "Equal, Click on your answer."
    typed = {"name": "naming", "names": {"a": "cup"}, "typed": True}
    assert fill({}, paradigm=typed).start == (
        "Your answers:\n\nType your answer, then press return.\n\nPress any key to begin."
    )


@pytest.mark.parametrize(
    ("texts", "settings", "start", "ready"),
    [
        ({}, {}, "Your answers:", "The session continues."),
        ({"start": "hello"}, {}, "hello", "hello"),
        ({"start": ""}, {}, "", "The session continues."),
        ({"start": "hello", "ready": "go on"}, {}, "hello", "go on"),
        ({"start": "hello", "ready": ""}, {}, "hello", ""),
        ({"block": "a block"}, {}, "", "The session continues."),
        ({"practice": "try"}, {}, "Your answers:", "The session continues."),
        ({"practice": "try"}, {"practice": {"trials": 1, "sources": ["a"]}}, "", "The session continues."),
    ],
)
def test_the_first_trial_never_comes_without_a_page(
    texts: dict[str, str], settings: dict[str, Any], start: str, ready: str
) -> None:
    filled = fill(texts, **settings)
    for text, beginning in ((filled.start, start), (filled.ready, ready)):
        assert text is not None
        assert text.startswith(beginning)
        assert bool(text) == bool(beginning)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{start: '{key:4}'}", 30, ["'4' is not an answer", "1, 2, 3"]),
        ("{start: hello, block: '{key:two}'}", 30, ["'two' is not an answer"]),
        ("{start: hello, end: '{kye:1}'}", 30, ["{kye:1} is not a placeholder", "key"]),
        ("{start: hello, keys: {lefd: L}}", 30, ["no answer has the key 'lefd'", "left"]),
    ],
)
def test_an_answer_that_does_not_exist_is_found_when_trials_are_listed(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    write_its_set(tmp_path)
    file = write_experiment(tmp_path, ("en: {start: hello}", f"en: {text}"))
    with pytest.raises(StimgenError) as raised:
        list_trials(load_experiment(file), Participant("01"))
    told = str(raised.value)
    assert f"e.yaml:{line}" in told
    assert all(word in told for word in words)


def test_the_examples_of_the_documentation_are_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "presenting.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)]
    assert len(blocks) >= 4
    for block in blocks:
        experiment = Experiment.model_validate({**BASE, **block})
        for texts in experiment.instructions.values():
            filled = fill_texts(experiment, texts, assign_keys(experiment, Participant("01")))
            assert "{key" not in f"{filled.start}{filled.rest}"
