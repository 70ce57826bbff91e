"""A person in front of a screen, through PsychoPy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from stimgen.experiment.design.trial import Box, Notice, Trial, TrialOutcome
from stimgen.experiment.equipment.triggers.base import Trigger, TriggerConnection
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.presenter import SessionPresenter
from stimgen.experiment.presentation.psychopy_screen import PsychopyScreen, WindowSettings
from stimgen.experiment.presentation.responses import (
    ChoiceResponse,
    TypedResponse,
    make_click_lookup,
    make_key_lookup,
)
from stimgen.experiment.presentation.screen import PresentationScreen, PressEvent, Scene, TextBox
from stimgen.experiment.presentation.targets import picture_boxes, word_boxes
from stimgen.experiment.presentation.trial_presenter import PresentationRules
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.reading.errors import StimgenError

MAXIMUM_TEXTURE_BYTES = 512 * 2**20
"""Bytes of textures that are loaded at a time; trials beyond are loaded one by one, between trials."""


def make(setting: ObserverContext) -> PsychopyObserver:
    """Return the observer."""
    display, mouse = setting.experiment.display, setting.experiment.responses.device == "mouse"
    look = WindowSettings(
        size=setting.viewing.resolution,
        refresh_hz=setting.viewing.refresh_hz,
        background=setting.frames.background,
        screen=display.screen,
        windowed=setting.windowed,
        pointer=mouse,
        right_to_left=setting.texts.right_to_left,
        font=setting.texts.font,
    )
    return PsychopyObserver(setting, PsychopyScreen(look))


class PsychopyObserver:
    """Shows trials to a person and takes the answers.

    Parameters
    ----------
    setting : ObserverContext
        What is asked, and with which keys.
    screen : PresentationScreen
        Not open yet.
    """

    def __init__(self, setting: ObserverContext, screen: PresentationScreen) -> None:
        self._setting, self._screen = setting, screen
        self._frames: dict[int, Sequence[Frame]] = {}
        self._lines: list[tuple[Trigger, TriggerConnection]] = []
        self._started = False

    def begin(self) -> dict[str, Any]:
        """Open the screen and the triggers; see `Observer.begin`."""
        experiment = self._setting.experiment
        # Before anything is shown.
        for trigger in experiment.triggers:
            self._lines.append((trigger, trigger.open()))
        measured = self._screen.open()
        self._screen.check_keys(self._keys_in_use())
        problem = measured["timing_problem"]
        if problem is not None and experiment.display.unverified_timing == "refuse":
            raise StimgenError(
                f"durations cannot be relied on: {problem}",
                hint="switch on the vertical sync and close other programs, or say display: "
                "{unverified_timing: mark}; then every line of the journal says that timing was not verified",
            )
        self._make_presenter()
        return {**measured, "timing_verified": problem is None}

    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        """Compose and load the frames of what comes next, as far as memory allows."""
        self._screen.release()
        self._frames.clear()
        loaded: dict[str, int] = {}
        for task in tasks:
            if sum(loaded.values()) >= MAXIMUM_TEXTURE_BYTES:
                break
            self._frames[task.trial.index] = frames = task.frames()
            loaded.update((frame.sha256, frame.pixels.nbytes) for frame in frames)
            self._load_frames(frames)

    def tell(self, notice: Notice) -> None:
        """Show a text until a key is pressed; nothing where there is no text."""
        if notice.text.strip():
            self._pages.read(notice.text)

    def respond(self, task: PreparedTrial) -> TrialOutcome:
        """Present a trial; see `Observer.respond`."""
        trial = task.trial
        frames = self._frames.pop(trial.index, None)
        if frames is None:
            self._screen.release()
            frames = task.frames()
            self._load_frames(frames)
        # What is to be seen while the answer is awaited, too: nothing may delay the end of the pictures.
        self._screen.load(Scene(self._rules.rest, self._make_response(trial).texts))
        if not self._started and not trial.practice:
            self._start()
        feedback = partial(self._feedback_frame, trial) if task.feedback else lambda _: None
        return self._presenter.present(trial, frames, partial(self._make_response, trial), feedback)

    def end(self) -> None:
        """Send the mark of the end, close triggers and screen."""
        try:
            for trigger, line in self._lines:
                if self._started and "end" in trigger.events():
                    line.send("end")
        finally:
            for _, line in self._lines:
                line.close()
            self._lines.clear()
            self._screen.close()

    def _make_presenter(self) -> None:
        setting, experiment = self._setting, self._setting.experiment
        responses, hz = experiment.responses, setting.viewing.refresh_hz
        rules = PresentationRules(
            responses,
            rest=setting.frames.render_fixation(),
            window=None if responses.window is None else responses.window.milliseconds(hz) / 1000,
            feedback=experiment.feedback.duration.milliseconds(hz) / 1000,
            between_trials=experiment.timing.between_trials.milliseconds(hz) / 1000,
            lines=tuple(self._lines),
        )
        empty = Frame(
            setting.viewing.resolution, setting.frames.background, 0, 0, np.zeros((0, 0, 3), np.uint8)
        )
        self._pages = PagePresenter(self._screen, empty, responses.quit, setting.texts.pause)
        self._rules, self._presenter = rules, SessionPresenter(self._screen, rules, self._pages)

    def _keys_in_use(self) -> list[str]:
        responses = self._setting.experiment.responses
        keys = [
            responses.quit,
            *(key for one in self._setting.experiment.triggers for key in one.signal_keys()),
        ]
        if responses.device == "keyboard":
            keys += [key for several in self._setting.keys.values() for key in several]
        return keys

    def _load_frames(self, frames: Sequence[Frame]) -> None:
        for frame in (self._rules.rest, *frames):
            self._screen.load(Scene(frame))

    def _start(self) -> None:
        """Wait for the signal that starts the session, where one does; the session's clock begins with it."""
        self._started = True
        waiting = [(trigger, line) for trigger, line in self._lines if trigger.starts]
        self._presenter.zero = self._screen.read_clock()
        if waiting:
            text = self._setting.texts.waiting
            for _, line in waiting:
                # What came while nobody waited is no signal to begin.
                line.poll_signal()
            signal = partial(self._find_signal, waiting)
            self._presenter.zero = self._pages.await_signal(text, self._rules.rest, signal)
        for mark in self._rules.flip_callbacks("session"):
            mark()

    def _find_signal(
        self, waiting: Sequence[tuple[Trigger, TriggerConnection]], presses: Sequence[PressEvent]
    ) -> float | None:
        keys = {key for trigger, _ in waiting for key in trigger.signal_keys()}
        pressed = [press.time for press in presses if press.point is None and press.key in keys]
        if pressed:
            return pressed[0]
        return self._screen.read_clock() if any(line.poll_signal() for _, line in waiting) else None

    def _make_response(self, trial: Trial) -> ChoiceResponse | TypedResponse:
        responses = self._setting.experiment.responses
        if not trial.answers:
            return TypedResponse(self._screen, responses)
        if responses.device != "mouse":
            meaning = make_key_lookup(self._setting.keys, mouse=responses.device == "buttons")
            return ChoiceResponse(self._screen, responses, meaning)
        places, texts = self._places(trial)
        return ChoiceResponse(self._screen, responses, make_click_lookup(places, self._screen.size), texts)

    def _places(self, trial: Trial) -> tuple[dict[str, Box], tuple[TextBox, ...]]:
        """Return where answers are clicked at, and the words that are to be seen there."""
        setting = self._setting
        pictures = picture_boxes(trial, setting.viewing) if setting.experiment.paradigm.clickable else None
        if pictures is not None:
            return pictures, ()
        boxes, words = word_boxes(trial.answers, self._screen.size), setting.texts.answers
        return boxes, tuple(TextBox(words.get(answer, answer), box) for answer, box in boxes.items())

    def _feedback_frame(self, trial: Trial, answer: str | None) -> Frame | None:
        correct = self._setting.experiment.paradigm.grade(trial, answer)
        return None if correct is None else self._setting.frames.render_feedback(correct=correct)
