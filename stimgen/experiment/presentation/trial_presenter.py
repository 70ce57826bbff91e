"""A trial on the screen, once: its phases, the time until the answer, and what was achieved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from stimgen.experiment.design.trial import PresentedPhase, Trial
from stimgen.experiment.equipment.triggers.base import Event, Trigger, TriggerConnection
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.refreshes import FramePacer
from stimgen.experiment.presentation.responses import ChoiceResponse, TypedResponse, poll_presses
from stimgen.experiment.presentation.screen import PresentationScreen, Scene
from stimgen.experiment.schema.timing import ResponseSettings


@dataclass(frozen=True)
class PresentationRules:
    """What is the same in every trial. Times are in seconds.

    Attributes
    ----------
    responses : ResponseSettings
        What counts as an answer.
    rest : Frame
        Fixation, shown between trials and while an answer is awaited.
    window : float or None
        How long answers are awaited after the last pictures, or their mask; None for ever.
    feedback : float
        How long it is shown.
    between_trials : float
        From the end of a trial to the beginning of the next, at the least.
    lines : tuple
        Triggers with their open connections.
    """

    responses: ResponseSettings
    rest: Frame
    window: float | None = None
    feedback: float = 0.3
    between_trials: float = 0.4
    lines: tuple[tuple[Trigger, TriggerConnection], ...] = ()

    def flip_callbacks(self, event: Event) -> list[Callable[[], None]]:
        """Return what tells other equipment of an event, when called."""
        return [partial(line.send, event) for trigger, line in self.lines if event in trigger.events()]


class TrialPresenter:
    """Shows a trial once.

    Parameters
    ----------
    screen : PresentationScreen
        Opened.
    rules : PresentationRules
        What is the same in every trial.
    trial : Trial
        What is shown.
    frames : sequence of Frame
        One for each phase.
    """

    def __init__(
        self, screen: PresentationScreen, rules: PresentationRules, trial: Trial, frames: Sequence[Frame]
    ) -> None:
        self._screen, self._rules, self._trial, self._frames = screen, rules, trial, frames
        self._refreshes = FramePacer(screen)
        stimuli = [i for i, phase in enumerate(trial.phases) if phase.kind == "stimulus"]
        self._first, self._last = stimuli[0], stimuli[-1]
        self._onsets: list[float] = []
        self._missed: list[int] = []
        self._cut = False

    def wait_until_ready(self, ready_at: float) -> None:
        """Show fixation until a time; what is pressed meanwhile is no answer.

        Raises
        ------
        Paused
            The key to pause with was pressed.
        """
        self.rest()
        while self._screen.read_clock() < ready_at - self._screen.period:
            self.rest()
        poll_presses(self._screen, self._rules.responses.quit)
        self._screen.typed()

    def rest(self) -> None:
        """Show fixation for a refresh."""
        self._refreshes.next(Scene(self._rules.rest))

    def tell(self, frame: Frame) -> None:
        """Show the feedback."""
        for _ in range(max(1, round(self._rules.feedback / self._screen.period))):
            self._refreshes.next(Scene(frame))

    def run(self, answering: ChoiceResponse | TypedResponse) -> None:
        """Show all phases, then fixation until the answer is there or time is over.

        Raises
        ------
        Paused
            The key to pause with was pressed.
        """
        for i, phase in enumerate(self._trial.phases):
            for n in range(phase.frames):
                marks = self._rules.flip_callbacks(phase.kind) if n == 0 else ()
                shown = self._refreshes.next(Scene(self._frames[i]), marks)
                if n == 0:
                    self._begun(i, shown, answering)
                self._listen(answering)
                if i == self._last and self._is_ended_by(answering):
                    break
        self._begun(len(self._trial.phases), self._show_response_screen(answering), answering)
        while not answering.complete:
            self._show_response_screen(answering)
            self._listen(answering)

    def shots(self, zero: float) -> tuple[PresentedPhase, ...]:
        """Return what was achieved, in seconds since `zero`."""
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
            # An answer that ended the pictures is no delay of what comes after them.
            planned = self._onsets[i + 1] if self._cut and i == self._last else planned + duration
        return tuple(found)

    def _show_response_screen(self, answering: ChoiceResponse | TypedResponse) -> float:
        return self._refreshes.next(Scene(self._rules.rest, answering.texts))

    def _is_ended_by(self, answering: ChoiceResponse | TypedResponse) -> bool:
        self._cut = self._rules.responses.ends_stimulus and answering.counted_press is not None
        return self._cut

    def _begun(self, index: int, time: float, answering: ChoiceResponse | TypedResponse) -> None:
        """Note when a phase began; those before it that had no refresh of their own began and ended then."""
        missed = self._refreshes.take_missed()
        if self._onsets:
            self._missed += [missed] + [0] * (index - len(self._onsets))
        elif index > 0:
            self._missed += [0] * index
        while len(self._onsets) <= index:
            self._open_window(len(self._onsets), time, answering)
            self._onsets.append(time)

    def _open_window(self, index: int, time: float, answering: ChoiceResponse | TypedResponse) -> None:
        window, responses = answering.window, self._rules.responses
        if index == self._first:
            window.onset = time
        if index == self._last + (responses.start == "offset"):
            window.opens = time
        if index == len(self._trial.phases) and self._rules.window is not None:
            window.closes = time + self._rules.window

    def _listen(self, answering: ChoiceResponse | TypedResponse) -> None:
        before = answering.counted_press
        answering.listen()
        if answering.counted_press not in (None, before):
            for mark in self._rules.flip_callbacks("response"):
                mark()
