"""One suite for every question after a trial: whoever adds a file is tested by it."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stimgen.experiment.design.questions import QUESTIONS, AnyQuestion, Question
from stimgen.experiment.design.questions.scale import SLIDER_END
from stimgen.experiment.frames.slider import find_mark, find_value
from stimgen.experiment.presentation.question_layout import lay_out_question
from stimgen.experiment.trials.crops import boxes_overlap, is_inside
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

# What a member needs, and what else of it is worth a test.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "confidence": [{}, {"steps": 2, "keys": ["f", "j"]}, {"by": "slider"}],
    "rating": [
        {"text": "how?"},
        {"text": {"en": "how?", "de": "wie?"}, "steps": 10, "ends": ["low", "high"]},
    ],
    "choice": [
        {"text": "which?", "answers": ["a", "b"]},
        {"text": "which?", "answers": list("abcdefghij"), "keys": {"j": "space"}, "words": {"a": "an A"}},
    ],
    "typed": [{"text": "what?"}, {"text": "what?", "unknown": "?"}],
}
MEMBERS = [
    QUESTIONS.members[name](**settings) for name in QUESTIONS.members for settings in VARIANTS.get(name, [{}])
]
every = pytest.mark.parametrize("question", MEMBERS, ids=lambda one: f"{one.name}")
screens = st.tuples(st.integers(320, 4000), st.integers(240, 2400))


@every
def test_a_question_round_trips_through_json(question: Question) -> None:
    assert TypeAdapter(AnyQuestion).validate_python(json.loads(json.dumps(question.to_dict()))) == question


@every
def test_every_answer_has_a_key_and_a_word(question: Question) -> None:
    keys = question.answer_keys()
    assert len(set(keys.values())) == len(keys)
    assert list(question.answer_words("en")) == list(keys)
    assert (question.input_kind == "keys") == bool(keys)
    assert not set(question.control_keys()) & set(keys.values())


@every
def test_observers_give_answers_that_can_be_given(question: Question) -> None:
    stream = RandomStream("test", question.name)
    answers = {question.guess(stream) for _ in range(60)}
    answers |= {question.simulate(evidence, stream) for evidence in (0.0, 0.4, 1.9, 2.0, 5.0)}
    if question.input_kind == "keys":
        assert answers == set(question.answer_keys())
    elif question.input_kind == "slider":
        assert {int(answer) for answer in answers} <= set(range(SLIDER_END + 1))
    assert "" not in answers


@every
def test_it_is_asked_when_it_says(question: Question) -> None:
    asked = {
        when: [question.replace(when=when).is_asked(practice=practice) for practice in (True, False)]
        for when in ("always", "practice", "main")
    }
    assert asked == {"always": [True, True], "practice": [True, False], "main": [False, True]}


@every
@given(size=screens)
def test_its_answers_lie_on_the_screen_and_apart(question: Question, size: tuple[int, int]) -> None:
    layout = lay_out_question(question, None, size)
    boxes = [*layout.boxes.values(), *([layout.confirm] if question.input_kind == "slider" else [])]
    assert list(layout.boxes) == list(question.answer_keys())
    assert all(is_inside(box, (0, 0, *size)) for box in boxes)
    assert not any(boxes_overlap(one, other) for one, other in combinations(boxes, 2))
    assert all(text.text and text.box[3] > 0 for text in layout.texts)
    if question.is_scale:
        assert len({box[1] for box in layout.boxes.values()}) <= 1


@given(size=screens, value=st.integers(0, SLIDER_END))
def test_a_click_on_a_sliders_mark_means_its_value(size: tuple[int, int], value: int) -> None:
    left, top, wide, high = find_mark(size, value)
    assert is_inside((left, top, wide, high), (0, 0, *size))
    assert find_value(size, left + wide / 2, top + high / 2) == value
    assert find_value(size, left + wide / 2, size[1] / 2) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"name": "confidence", "by": "slider", "steps": 5}, "a slider has no steps"),
        ({"name": "confidence", "keys": ["a"]}, "1 keys are given for 4 steps"),
        ({"name": "choice", "text": "?", "answers": ["a", "a"]}, "'a' occurs twice"),
        ({"name": "choice", "text": "?", "answers": ["a", "b"], "keys": {"c": "x"}}, "'c' is not one"),
        ({"name": "sure"}, "unknown question 'sure'"),
    ],
)
def test_what_cannot_be_asked_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TypeAdapter(AnyQuestion).validate_python(said)


def test_a_text_that_is_missing_in_a_language_is_told() -> None:
    question = QUESTIONS.members["rating"](text={"en": "how?"})
    assert question.choose_text(None) == question.choose_text("en") == "how?"
    with pytest.raises(StimgenError, match="'de'"):
        question.check_language("de")
