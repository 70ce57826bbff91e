"""Places the texts of a question on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.slider import find_line
from stimgen.experiment.presentation.screen import TextBox
from stimgen.experiment.presentation.targets import word_boxes

Size = tuple[int, int]
CONFIRM = "OK"


@dataclass(frozen=True)
class QuestionLayout:
    """Holds the texts of a question, and where its answers can be clicked."""

    texts: tuple[TextBox, ...]
    boxes: Mapping[str, Box]
    """Box of every answer."""
    confirm: Box
    """Where a slider is confirmed with a click."""


def lay_out_question(question: Question, language: str | None, size: Size) -> QuestionLayout:
    """Return the layout of a question on a screen of this size.

    The question is above the middle, and what can be answered below. The answers of a scale are in one row,
    in letters that may be wider than a step, because they are short.
    """
    width, height = size
    prompt = TextBox(question.choose_text(language), (width // 8, height // 6, width * 3 // 4, height // 4))
    keys, words = question.answer_keys(), question.answer_words(language)
    boxes = _find_boxes(list(keys), size, is_scale=question.is_scale)
    answers = [
        _show_answer(words[answer], key, boxes[answer], size, is_scale=question.is_scale)
        for answer, key in keys.items()
    ]
    confirm = _find_confirm_box(size)
    texts = [prompt, *answers, *_place_ends(question.end_words(language), boxes, size)]
    texts += [TextBox(CONFIRM, confirm)] if question.input_kind == "slider" else []
    return QuestionLayout(tuple(text for text in texts if text.text), boxes, confirm)


def _find_boxes(answers: list[str], size: Size, *, is_scale: bool) -> dict[str, Box]:
    if not answers or not is_scale:
        return word_boxes(answers, size) if answers else {}
    width, height = size
    wide, high = width * 2 // 3 // len(answers), height // 8
    left, top = (width - wide * len(answers)) // 2, height * 5 // 8 - high // 2
    return {answer: (left + i * wide, top, wide, high) for i, answer in enumerate(answers)}


def _show_answer(word: str, key: str, box: Box, size: Size, *, is_scale: bool) -> TextBox:
    """Return a word with its key, if the key is not the word."""
    if not is_scale:
        return TextBox(f"{word} ({key})", box)
    left, top, wide, high = box
    # Letters have an eighth of a box's width; a step is short enough to have larger ones.
    wider = max(wide, size[0] // 4)
    text = word if word == key else f"{word}\n({key})"
    return TextBox(text, (left - (wider - wide) // 2, top, wider, high))


def _place_ends(ends: tuple[str, str], boxes: Mapping[str, Box], size: Size) -> list[TextBox]:
    """Return the words at the ends of a scale, below its first and its last answer, or below the line."""
    width, height = size
    line_left, line_top, line_width, _ = find_line(size)
    places = list(boxes.values())
    centres = (line_left, line_left + line_width)
    if places:
        centres = (places[0][0] + places[0][2] // 2, places[-1][0] + places[-1][2] // 2)
    wide, high, top = width // 4, height // 12, line_top + height // 12
    # A box at the edge of the screen would be cut off.
    lefts = [min(max(centre - wide // 2, 0), width - wide) for centre in centres]
    return [TextBox(word, (left, top, wide, high)) for word, left in zip(ends, lefts, strict=True)]


def _find_confirm_box(size: Size) -> Box:
    width, height = size
    wide, high = width // 4, height // 12
    return (width - wide) // 2, height * 13 // 16, wide, high
