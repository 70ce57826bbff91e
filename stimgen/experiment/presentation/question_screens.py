"""Prepares the questions of an experiment for a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from stimgen.experiment.design.questions import Question
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.presentation.question_layout import QuestionLayout, lay_out_question
from stimgen.experiment.presentation.question_presenter import PreparedQuestion
from stimgen.experiment.presentation.responses import (
    AnswerLookup,
    ChoiceResponse,
    Response,
    TypedResponse,
    make_click_lookup,
    make_key_lookup,
)
from stimgen.experiment.presentation.screen import PresentationScreen, PressEvent
from stimgen.experiment.presentation.slider_response import SliderResponse
from stimgen.experiment.schema.timing import ResponseSettings


@dataclass(frozen=True)
class QuestionScreens:
    """Prepares questions for an open screen, in the session's language."""

    screen: PresentationScreen
    frames: FrameRenderer
    language: str | None

    def prepare(self, questions: Sequence[Question], *, practice: bool) -> list[PreparedQuestion]:
        """Return those of the questions that follow a trial of practice, or another trial."""
        return [self._prepare(one) for one in questions if one.is_asked(practice=practice)]

    def _prepare(self, question: Question) -> PreparedQuestion:
        layout = lay_out_question(question, self.language, self.screen.size)
        hz, window = self.frames.viewing.refresh_hz, question.window
        mouse = self.frames.experiment.responses.device == "mouse"
        return PreparedQuestion(
            question.key,
            partial(self._make_response, question, layout),
            partial(self._find_frame, slider=question.input_kind == "slider"),
            window=None if window is None else window.milliseconds(hz) / 1000,
            pointer=question.input_kind == "slider" and not mouse,
        )

    def _make_response(self, question: Question, layout: QuestionLayout) -> Response:
        settings = ResponseSettings(quit=self.frames.experiment.responses.quit)
        if question.input_kind == "typed":
            empty = question.answer_without_letters()
            return TypedResponse(self.screen, settings, empty, layout.texts)
        if question.input_kind == "slider":
            return SliderResponse(self.screen, settings, layout.texts, layout.confirm)
        return ChoiceResponse(self.screen, settings, self._make_lookup(question, layout), layout.texts)

    def _make_lookup(self, question: Question, layout: QuestionLayout) -> AnswerLookup:
        """Return the lookup of answers by keys, and by clicks if answers are given with the mouse."""
        keys = {answer: (key,) for answer, key in question.answer_keys().items()}
        by_key = make_key_lookup(keys, mouse=False)
        if self.frames.experiment.responses.device != "mouse":
            return by_key
        by_click = make_click_lookup(layout.boxes, self.screen.size)

        def find_answer(pressed: PressEvent) -> str | None:
            return by_key(pressed) if pressed.point is None else by_click(pressed)

        return find_answer

    def _find_frame(self, response: Response, *, slider: bool) -> Frame:
        value = response.value if isinstance(response, SliderResponse) else None
        return self.frames.render_question(slider=slider, value=value)
