"""Builds the collector of the responses to a trial: keys, buttons, clicks or typed words."""

from __future__ import annotations

from functools import partial

from stimgen.experiment.design.trial import Box, Trial
from stimgen.experiment.presentation.responses import (
    ChoiceResponse,
    Response,
    TypedResponse,
    make_click_lookup,
    make_key_lookup,
)
from stimgen.experiment.presentation.screen import PresentationScreen, TextBox
from stimgen.experiment.presentation.stream_response import StreamResponse
from stimgen.experiment.presentation.targets import picture_boxes, word_boxes
from stimgen.experiment.session.observers.base import ObserverContext


class ResponseMaker:
    """Makes collectors of responses on a screen, as an experiment says."""

    def __init__(self, context: ObserverContext, screen: PresentationScreen) -> None:
        self._context, self._screen = context, screen

    def make(self, trial: Trial) -> Response:
        """Return a new collector of responses to a trial."""
        responses = self._context.experiment.responses
        if not trial.answers:
            empty = self._context.experiment.paradigm.answer_without_letters()
            return TypedResponse(self._screen, responses, empty)
        if responses.device != "mouse":
            lookup = make_key_lookup(self._context.keys, mouse=responses.device == "buttons")
            paradigm = self._context.experiment.paradigm
            if paradigm.is_stream:
                hz = self._context.viewing.refresh_hz
                read = partial(paradigm.read_presses, trial, refresh_hz=hz)
                return StreamResponse(self._screen, responses, lookup, read)
            return ChoiceResponse(self._screen, responses, lookup)
        boxes, texts = self._find_click_targets(trial)
        return ChoiceResponse(self._screen, responses, make_click_lookup(boxes, self._screen.size), texts)

    def _find_click_targets(self, trial: Trial) -> tuple[dict[str, Box], tuple[TextBox, ...]]:
        """Return the boxes in which answers are clicked, and the words that are shown in them."""
        context = self._context
        pictures = picture_boxes(trial, context.viewing) if context.experiment.paradigm.clickable else None
        if pictures is not None:
            return pictures, ()
        boxes, words = word_boxes(trial.answers, self._screen.size), context.texts.answers
        return boxes, tuple(TextBox(words.get(answer, answer), box) for answer, box in boxes.items())
