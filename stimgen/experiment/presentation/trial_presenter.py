"""Presents a trial once: its phases, the time until the answer, and the timing that was achieved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from stimgen.experiment.design.trial import PresentedPhase, Trial
from stimgen.experiment.equipment.triggers.base import Event, Trigger, TriggerConnection
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.feedback import FeedbackSignal
from stimgen.experiment.presentation.refreshes import FramePacer
from stimgen.experiment.presentation.responses import Response, poll_presses
from stimgen.experiment.presentation.screen import FlipCallbacks, PresentationScreen, Scene
from stimgen.experiment.schema.timing import ResponseSettings


@dataclass(frozen=True)
class PresentationRules:
    """Holds what is the same in every trial. Times are in seconds."""

    responses: ResponseSettings
    fixation: Frame
    """Shown between trials and while an answer is awaited."""
    window: float | None = None
    """How long answers count after the last pictures or their mask; None for ever."""
    feedback: float = 0.3
    between_trials: float = 0.4
    """The shortest time from the end of a trial to the beginning of the next, unless the next has its own."""
    connections: tuple[tuple[Trigger, TriggerConnection], ...] = ()

    def flip_callbacks(self, event: Event) -> FlipCallbacks:
        """Return functions that send the marks of an event to other equipment."""
        return [
            partial(connection.send, event)
            for trigger, connection in self.connections
            if event in trigger.events()
        ]


class TrialPresenter:
    """Presents a trial once, with a frame for each of its phases, on an open screen."""

    def __init__(
        self, screen: PresentationScreen, rules: PresentationRules, trial: Trial, frames: Sequence[Frame]
    ) -> None:
        self._screen, self._rules, self._trial, self._frames = screen, rules, trial, frames
        self._pacer = FramePacer(screen)
        stimuli = [i for i, phase in enumerate(trial.phases) if phase.kind == "stimulus"]
        self._first, self._last = stimuli[0], stimuli[-1]
        self._onsets: list[float] = []
        self._missed: list[int] = []
        self._cut_short = False

    def wait_until_ready(self, ready_at: float) -> None:
        """Show fixation until a time, and ignore presses; raise `TrialPaused` if the pause key is pressed."""
        self.show_fixation()
        while self._screen.read_clock() < ready_at - self._screen.period:
            self.show_fixation()
        poll_presses(self._screen, self._rules.responses.quit)
        self._screen.read_characters()

    def show_fixation(self) -> None:
        """Show fixation for one refresh."""
        self._pacer.show_next(Scene(self._rules.fixation))

    def show_feedback(self, signal: FeedbackSignal) -> None:
        """Show the feedback as long as the rules say."""
        for n in range(max(1, round(self._rules.feedback / self._screen.period))):
            self._pacer.show_next(signal.scene, signal.on_flip if n == 0 else ())

    def run(self, response: Response) -> None:
        """Show all phases, then fixation until the response is complete.

        Raises `TrialPaused` if the pause key was pressed.
        """
        for i, phase in enumerate(self._trial.phases):
            for n in range(phase.frames):
                on_flip = self._rules.flip_callbacks(phase.kind) if n == 0 else ()
                shown = self._pacer.show_next(Scene(self._frames[i]), on_flip)
                if n == 0:
                    self._note_onset(i, shown, response)
                self._listen(response)
                if i == self._last and self._is_ended_by(response):
                    break
        self._note_onset(len(self._trial.phases), self._show_response_screen(response), response)
        while not response.is_complete:
            self._show_response_screen(response)
            self._listen(response)

    def presented_phases(self, zero: float) -> tuple[PresentedPhase, ...]:
        """Return the timing that was achieved, in seconds since `zero`."""
        found, planned = [], self._onsets[0]
        for i, (phase, frame) in enumerate(zip(self._trial.phases, self._frames, strict=True)):
            duration = phase.frames * self._screen.period
            found.append(
                PresentedPhase(
                    frame_sha256=frame.sha256,
                    intended_onset=round(planned - zero, 6),
                    onset=round(self._onsets[i] - zero, 6),
                    intended_duration=round(duration, 6),
                    duration=round(self._onsets[i + 1] - self._onsets[i], 6),
                    dropped=self._missed[i],
                )
            )
            # If an answer ended the pictures, what follows them is not late.
            planned = self._onsets[i + 1] if self._cut_short and i == self._last else planned + duration
        return tuple(found)

    def _show_response_screen(self, response: Response) -> float:
        return self._pacer.show_next(Scene(self._rules.fixation, response.texts))

    def _is_ended_by(self, response: Response) -> bool:
        self._cut_short = self._rules.responses.ends_stimulus and response.counted_press is not None
        return self._cut_short

    def _note_onset(self, index: int, time: float, response: Response) -> None:
        """Note the onset of a phase. Earlier phases without a refresh of their own began and ended then."""
        missed = self._pacer.take_missed()
        if self._onsets:
            self._missed += [missed] + [0] * (index - len(self._onsets))
        elif index > 0:
            self._missed += [0] * index
        while len(self._onsets) <= index:
            self._update_response_window(len(self._onsets), time, response)
            self._onsets.append(time)

    def _update_response_window(self, index: int, time: float, response: Response) -> None:
        window, settings = response.window, self._rules.responses
        if index == self._first:
            window.onset = time
        if index == self._last + (settings.start == "offset"):
            window.opens = time
        if index == len(self._trial.phases) and self._rules.window is not None:
            window.closes = time + self._rules.window

    def _listen(self, response: Response) -> None:
        before = response.counted_press
        response.listen()
        if response.counted_press not in (None, before):
            for send in self._rules.flip_callbacks("response"):
                send()
