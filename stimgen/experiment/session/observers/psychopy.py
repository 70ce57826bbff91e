"""Presents trials to a person on a screen, through PsychoPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from typing_extensions import override

from stimgen.experiment.design.trial import MainStart, Notice, Trial, TrialOutcome
from stimgen.experiment.equipment.triggers.base import Trigger, TriggerConnection
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.feedback import FeedbackSignal
from stimgen.experiment.presentation.pages import Page, PagePresenter, picture_box
from stimgen.experiment.presentation.presenter import SessionPresenter
from stimgen.experiment.presentation.psychopy_screen import PsychopyScreen, WindowSettings
from stimgen.experiment.presentation.psychopy_sounds import TonePlayer
from stimgen.experiment.presentation.question_presenter import PreparedQuestion
from stimgen.experiment.presentation.question_screens import QuestionScreens
from stimgen.experiment.presentation.screen import PresentationScreen, Scene
from stimgen.experiment.presentation.trial_presenter import PresentationRules
from stimgen.experiment.schema.feedback import FeedbackKind
from stimgen.experiment.session.feedback import make_feedback_composer
from stimgen.experiment.session.observers.base import Observer, ObserverContext, PreparedTrial
from stimgen.experiment.session.response_maker import ResponseMaker
from stimgen.experiment.session.start_signal import StartSignal
from stimgen.experiment.trials.grading import classify_answer
from stimgen.reading.errors import StimgenError

MAXIMUM_TEXTURE_BYTES = 512 * 2**20
"""Bytes of textures that are loaded ahead. The trials beyond are loaded one by one, between trials."""


def make(context: ObserverContext) -> PsychopyObserver:
    """Return the observer."""
    experiment = context.experiment
    window = WindowSettings(
        size=context.viewing.resolution,
        refresh_hz=context.viewing.refresh_hz,
        background=context.frames.background,
        screen=experiment.display.screen,
        windowed=context.windowed,
        pointer=experiment.responses.device == "mouse",
        right_to_left=context.texts.right_to_left,
        font=context.texts.font,
        gamma=context.gamma,
    )
    return PsychopyObserver(context, PsychopyScreen(window))


class PsychopyObserver(Observer):
    """Presents trials to a person, on a screen that `begin` opens, and takes the answers."""

    def __init__(self, context: ObserverContext, screen: PresentationScreen) -> None:
        self._context, self._screen = context, screen
        self._frames: dict[int, Sequence[Frame]] = {}
        self._connections: list[tuple[Trigger, TriggerConnection]] = []
        self._started = False
        self._responses = ResponseMaker(context, screen)
        self._play: Callable[[FeedbackKind], None] | None = None

    @override
    def begin(self) -> dict[str, Any]:
        experiment = self._context.experiment
        # A port that is missing is reported before anything is shown.
        for trigger in experiment.triggers:
            self._connections.append((trigger, trigger.open()))
        self._open_sound()
        measured = self._screen.open()
        self._screen.check_keys(self._keys_in_use())
        problem = measured["timing_problem"]
        if problem is not None and experiment.display.unverified_timing == "refuse":
            raise StimgenError(
                f"durations are not reliable: {problem}",
                hint="switch on vertical sync and close other programs; or set display: {unverified_timing: "
                "mark}, and every line of the journal says that timing was not verified",
            )
        self._make_presenter()
        self._presenter.zero = self._screen.read_clock()
        return {**measured, "timing_verified": problem is None}

    @override
    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        self._screen.release()
        self._frames.clear()
        loaded: dict[str, int] = {}
        for task in tasks:
            if sum(loaded.values()) >= MAXIMUM_TEXTURE_BYTES:
                break
            self._frames[task.trial.index] = frames = task.frames()
            loaded.update((frame.sha256, frame.pixels.nbytes) for frame in frames)
            self._load_frames(frames)

    @override
    def tell(self, notice: Notice) -> None:
        if notice.text.strip() or notice.picture or notice.minimum_s or notice.maximum_s:
            picture = self._draw_picture(notice) if notice.picture else None
            page = Page(notice.text, picture, notice.minimum_s, notice.maximum_s)
            self._pages.show_until_read(page)

    @override
    def start(self, task: PreparedTrial) -> MainStart:
        # Loaded before the signal, so that the first trial follows it at once.
        self._load_trial(task)
        self._started = True
        signal = StartSignal(self._connections, self._screen.read_clock)
        time = self._screen.read_clock()
        if signal.is_awaited:
            signal.ignore_earlier()
            text = self._context.texts.waiting
            time = self._pages.await_signal(text, self._rules.fixation, signal.find)
        for send in self._rules.flip_callbacks("session"):
            send()
        return MainStart(round(time - self._presenter.zero, 6), signal.source)

    @override
    def respond(self, task: PreparedTrial) -> TrialOutcome:
        trial = task.trial
        self._load_trial(task)
        frames = self._frames.pop(trial.index)
        find_feedback = partial(self._find_feedback, trial) if task.feedback else lambda _: None
        questions = self._prepare_questions(trial)
        return self._presenter.present(
            trial, frames, partial(self._responses.make, trial), find_feedback, questions
        )

    def _prepare_questions(self, trial: Trial) -> list[PreparedQuestion]:
        """Return the questions that follow a trial, whose frames and texts are loaded."""
        screens = QuestionScreens(self._screen, self._context.frames, self._context.language)
        questions = screens.prepare(self._context.experiment.questions, practice=trial.practice)
        for question in questions:
            self._screen.load(question.scene(question.make_response()))
        return questions

    @override
    def end(self) -> None:
        try:
            for trigger, connection in self._connections:
                if self._started and "end" in trigger.events():
                    connection.send("end")
        finally:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
            self._screen.close()

    def _make_presenter(self) -> None:
        context, experiment = self._context, self._context.experiment
        responses, hz = experiment.responses, context.viewing.refresh_hz
        fixed = experiment.timing.fixed_between_trials
        self._rules = PresentationRules(
            responses,
            fixation=context.frames.render_fixation(),
            window=None if responses.window is None else responses.window.milliseconds(hz) / 1000,
            feedback=experiment.feedback.duration.milliseconds(hz) / 1000,
            between_trials=fixed.milliseconds(hz) / 1000 if fixed is not None else 0.0,
            connections=tuple(self._connections),
        )
        self._feedback = make_feedback_composer(context, self._rules.fixation, self._play)
        empty = Frame.blank(context.viewing.resolution, context.frames.background)
        self._pages = PagePresenter(self._screen, empty, responses.quit, context.texts.pause)
        self._presenter = SessionPresenter(self._screen, self._rules, self._pages)

    def _draw_picture(self, notice: Notice) -> Frame:
        context, size = self._context, self._screen.size
        box = picture_box(size, with_text=bool(notice.text.strip()))
        encoding = context.experiment.display.encoding
        return context.pictures[notice.picture].draw(size, context.frames.background, box, encoding)

    def _keys_in_use(self) -> list[str]:
        experiment = self._context.experiment
        signals = [key for trigger in experiment.triggers for key in trigger.signal_keys()]
        keys = [experiment.responses.quit, *signals]
        if experiment.responses.device == "keyboard":
            keys += [key for several in self._context.keys.values() for key in several]
        keys += [key for question in experiment.questions for key in question.answer_keys().values()]
        return keys

    def _load_trial(self, task: PreparedTrial) -> None:
        """Load what a trial shows, as far as it is not loaded yet."""
        if task.trial.index not in self._frames:
            self._screen.release()
            self._frames[task.trial.index] = task.frames()
            self._load_frames(self._frames[task.trial.index])
        # Texts of the response screen are loaded, too, because nothing may delay the end of the pictures.
        self._screen.load(Scene(self._rules.fixation, self._responses.make(task.trial).texts))
        for scene in self._feedback.scenes() if task.feedback else ():
            self._screen.load(scene)

    def _load_frames(self, frames: Sequence[Frame]) -> None:
        for frame in (self._rules.fixation, *frames):
            self._screen.load(Scene(frame))

    def _find_feedback(self, trial: Trial, answer: str | None) -> FeedbackSignal | None:
        kind = classify_answer(self._context.experiment, trial, answer)
        return None if kind is None else self._feedback.compose(kind)

    def _open_sound(self) -> None:
        """Prepare the tones of the feedback, so that a computer without sound is reported at once."""
        settings = self._context.experiment.feedback
        if "sound" in settings.by and settings.when != "never":
            seconds = settings.duration.milliseconds(self._context.viewing.refresh_hz) / 1000
            self._play = TonePlayer(settings.tones, seconds).play
