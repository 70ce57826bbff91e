"""Keys: whose they are, and that no key means two things."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.paradigms import AnyParadigm
from stimgen.experiment.equipment.key_names import EVERYWHERE, KEY_NAMES
from stimgen.experiment.schema.timing import ResponseSettings
from stimgen.experiment.trials.keys import assign_keys, check_keys, check_swap
from stimgen.reading.errors import StimgenError


def experiment(triggers: tuple[Any, ...] = (), **responses: Any) -> Any:
    """What `assign_keys` reads of an experiment, with three answers."""
    paradigm = SimpleNamespace(
        answers=lambda: ("a", "b", "c"), default_keys=lambda: {"a": "1", "b": "2", "c": "3"}
    )
    return SimpleNamespace(
        paradigm=paradigm, responses=ResponseSettings.model_validate(responses), triggers=triggers
    )


def test_the_files_keys_come_before_the_paradigms() -> None:
    keys = assign_keys(experiment(keys={"b": ["x", "y"]}), Participant("01"))
    assert keys == {"a": ("1",), "b": ("x", "y"), "c": ("3",)}


def test_every_second_participant_has_them_in_the_opposite_order() -> None:
    swapping = experiment(swap=True, keys={"b": ["x", "y"]})
    odd, even = assign_keys(swapping, Participant("01")), assign_keys(swapping, Participant("02"))
    assert odd == {"a": ("1",), "b": ("x", "y"), "c": ("3",)}
    assert even == {"a": ("3",), "b": ("x", "y"), "c": ("1",)}
    assert assign_keys(experiment(), Participant("02")) == assign_keys(experiment(), Participant("01"))


def test_a_participant_without_a_number_cannot_be_even() -> None:
    assert assign_keys(experiment(), Participant("pilot"))
    with pytest.raises(StimgenError, match="responses.swap.* 'pilot'"):
        assign_keys(experiment(swap=True), Participant("pilot"))


def test_keys_for_no_answer_are_refused() -> None:
    with pytest.raises(StimgenError, match="responses.keys: 'bb'") as refused:
        assign_keys(experiment(keys={"bb": "x"}), Participant("01"))
    assert refused.value.allowed == ("a", "b", "c")


def test_a_mouse_needs_no_keys() -> None:
    pointing = experiment(device="mouse")
    assert assign_keys(pointing, Participant("01")) == {}
    check_keys(pointing, {})


SCANNER = SimpleNamespace(name="scanner", signal_keys=lambda: ("5",))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"keys": {"b": "1"}}, "'1' .*'a'.* 'b'"),
        ({"keys": {"c": ["x", "x"]}}, "'x' .*'c'"),
        ({"keys": {"c": "escape"}}, "'escape' .*(responses.quit).*'c'"),
        ({"keys": {"c": "q"}, "quit": "q"}, "'q' .*(responses.quit).*'c'"),
        ({"keys": {"c": "5"}, "triggers": (SCANNER,)}, "'5' .*'scanner'.*'c'"),
        ({"quit": "5", "triggers": (SCANNER,)}, "'5' .*(responses.quit).*'scanner'"),
        ({"keys": {"c": []}}, "'c' has no key"),
        ({"device": "buttons", "keys": {"a": "left", "b": "right"}}, "'3'"),
    ],
)
def test_keys_that_collide_are_refused(said: dict[str, Any], message: str) -> None:
    refused = experiment(**said)
    with pytest.raises(StimgenError, match=message.replace("(", r"\(").replace(")", r"\)")):
        check_keys(refused, assign_keys(refused, Participant("01")))


def test_keys_that_do_not_collide_are_accepted() -> None:
    for accepted in (
        experiment(triggers=(SCANNER,)),
        experiment(device="buttons", keys={"a": "left", "b": "right", "c": "middle"}),
        # A button may be called as the key to quit with is: it is another device.
        experiment(device="buttons", keys={"a": "left", "b": "right", "c": "middle"}, quit="left"),
    ):
        check_keys(accepted, assign_keys(accepted, Participant("01")))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"keys": {"a": "spacebar"}}, "space"),
        ({"keys": {"a": "Left"}}, "left"),
        ({"keys": {"a": "num1"}}, "num_1"),
        ({"keys": {"a": ","}}, "comma"),
        ({"quit": "esc"}, "escape"),
        ({"triggers": (SimpleNamespace(name="scanner", signal_keys=lambda: ("enter",)),)}, "return"),
    ],
)
def test_names_of_no_key_are_found_without_a_keyboard(said: dict[str, Any], meant: str) -> None:
    refused = experiment(**said)
    with pytest.raises(StimgenError, match=f"there is no key .*, and it (.|\n)*did you mean {meant!r}"):
        check_keys(refused, assign_keys(refused, Participant("01")))


def test_names_are_those_of_psychopy() -> None:
    """Read from its text, because importing it needs a display."""
    psychopy = find_spec("psychopy")
    if psychopy is None or psychopy.origin is None:
        pytest.skip("psychopy is not installed")
    text = (Path(psychopy.origin).parent / "hardware" / "keyboard.py").read_text()
    tables = re.findall(r"^keyNames(?:Win|Mac|Linux) = (\{.*?\})", text, re.M | re.S)
    systems = [set(ast.literal_eval(table).values()) for table in tables]
    assert len(systems) == 3
    assert set(KEY_NAMES) == set.union(*systems)
    assert set(EVERYWHERE) == set.intersection(*systems)
    assert len(KEY_NAMES) == len(set(KEY_NAMES))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"counts": "last"}, "counts: last"),
        ({"counts": "last", "window": "1200 ms", "ends_stimulus": True}, "counts: last"),
        ({"start": "offset", "ends_stimulus": True}, "start: offset"),
    ],
)
def test_what_contradicts_itself_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResponseSettings.model_validate(said)


def swapped(paradigm: dict[str, Any], **responses: Any) -> Any:
    """What `check_swap` reads of an experiment."""
    return SimpleNamespace(
        paradigm=TypeAdapter(AnyParadigm).validate_python(paradigm),
        responses=ResponseSettings.model_validate({"swap": True, **responses}),
    )


@pytest.mark.parametrize(
    ("paradigm", "responses", "message"),
    [
        ({"name": "oddity"}, {}, "places"),
        ({"name": "two_afc", "layout": "spatial"}, {}, "places"),
        ({"name": "abx", "layout": "sample_first"}, {"keys": {"A": "f", "B": "j"}}, "places"),
        ({"name": "oddity", "layout": "temporal"}, {}, "'3' for the answer '1'"),
        ({"name": "two_afc"}, {}, "'2' for the answer '1'"),
    ],
)
def test_swapped_keys_that_contradict_the_answers_are_refused(
    paradigm: dict[str, Any], responses: dict[str, Any], message: str
) -> None:
    with pytest.raises(StimgenError, match=message):
        check_swap(swapped(paradigm, **responses))
    check_swap(swapped(paradigm, **responses, swap=False))
    check_swap(swapped(paradigm, **responses, device="mouse"))


@pytest.mark.parametrize(
    ("paradigm", "keys"),
    [
        ({"name": "same_different"}, {}),
        ({"name": "yes_no"}, {"yes": "f", "no": "j"}),
        ({"name": "abx"}, {}),
        ({"name": "two_afc"}, {"1": "f", "2": "j"}),
        ({"name": "oddity", "layout": "temporal"}, {"1": "f", "3": "j"}),
    ],
)
def test_keys_that_contradict_nothing_may_be_swapped(paradigm: dict[str, Any], keys: dict[str, str]) -> None:
    check_swap(swapped(paradigm, keys=keys))
