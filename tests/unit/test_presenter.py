"""The flow of a trial, refresh by refresh, on a screen that keeps exact time and is pressed by a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from stimgen.experiment.design.trial import Phase, Trial, TrialOutcome
from stimgen.experiment.equipment.triggers.base import Event
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.feedback import FeedbackComposer, FeedbackSignal
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.presenter import SessionPresenter
from stimgen.experiment.presentation.responses import (
    AnswerLookup,
    ChoiceResponse,
    TypedResponse,
    make_click_lookup,
    make_key_lookup,
)
from stimgen.experiment.presentation.screen import (
    PressEvent,
    RefreshMeasurement,
    Scene,
    SessionStopped,
    TypedCharacter,
)
from stimgen.experiment.presentation.trial_presenter import PresentationRules
from stimgen.experiment.schema.feedback import FeedbackKind, FeedbackWords
from stimgen.experiment.schema.timing import ResponseSettings

PERIOD = 1 / 50
SIZE = (80, 60)


def frame(level: int) -> Frame:
    return Frame(SIZE, (128, 128, 128), 30, 20, np.full((20, 20, 3), level, np.uint8))


REST, PAGE, RIGHT, WRONG = frame(0), frame(1), frame(254), frame(255)
PHASES = (
    Phase(kind="fixation", frames=5),
    Phase(kind="stimulus", frames=4, interval=1),
    Phase(kind="between", frames=3),
    Phase(kind="stimulus", frames=10, interval=2),
    Phase(kind="mask", frames=2, interval=2),
)
FRAMES = [frame(10 + i) for i in range(len(PHASES))]


class ExactScreen:
    """Shows a scene at every refresh, later where it is told to be slow; keys come when the script says."""

    size, period, verified = SIZE, PERIOD, True

    def __init__(
        self,
        presses: Sequence[tuple[float, str]] = (),
        letters: Sequence[tuple[float, str]] = (),
        slow: Mapping[int, int] | None = None,
    ) -> None:
        """Times of presses and letters are in refreshes."""
        self._presses = [PressEvent(key, at * PERIOD) for at, key in presses]
        self._letters = [TypedCharacter(letter, at * PERIOD) for at, letter in letters]
        self._slow = slow or {}
        self.refresh = 0
        self.shown: list[tuple[int, Scene]] = []

    def click(self, refreshes: float, button: str, point: tuple[float, float]) -> None:
        self._presses.append(PressEvent(button, refreshes * PERIOD, point))

    def read_clock(self) -> float:
        return self.refresh * PERIOD

    def show(
        self, scene: Scene, due: float | None = None, on_flip: Sequence[Callable[[], None]] = ()
    ) -> float:
        del due
        self.refresh += 1 + self._slow.get(self.refresh + 1, 0)
        assert self.refresh < 5000, "the trial never ends"
        for call in on_flip:
            call()
        self.shown.append((self.refresh, scene))
        return self.read_clock()

    def read_presses(self) -> list[PressEvent]:
        found = [press for press in self._presses if press.time <= self.read_clock()]
        self._presses = self._presses[len(found) :]
        return found

    def read_characters(self) -> list[TypedCharacter]:
        found = [letter for letter in self._letters if letter.time <= self.read_clock()]
        self._letters = self._letters[len(found) :]
        return found

    def seen(self, wanted: Frame) -> list[int]:
        """Return the refreshes at which a frame was shown."""
        return [at for at, scene in self.shown if scene.frame is wanted]


def trial(*answers: str) -> Trial:
    return Trial(
        index=1, block=1, levels={}, source="a", balanced={}, phases=PHASES, answers=answers, correct="1"
    )


KEYS = make_key_lookup({"1": ("f",), "2": ("j",)}, mouse=False)


def nothing(answer: str | None) -> FeedbackSignal | None:
    del answer
    return None


def present(
    screen: Any,
    meaning: AnswerLookup | None = KEYS,
    feedback: Callable[[str | None], FeedbackSignal | None] = nothing,
    lines: Any = (),
    empty: str | None = None,
    **said: Any,
) -> TrialOutcome:
    """Present the trial: pictures at refreshes 7 and 14, their mask at 24, nothing more from 26 on.

    Without a meaning of presses, the answer is typed.
    """
    responses = ResponseSettings.model_validate(said)
    window = None if responses.window is None else responses.window.milliseconds(1 / PERIOD) / 1000
    rules = PresentationRules(
        responses, REST, window=window, between_trials=2 * PERIOD, feedback=0.1, connections=lines
    )

    def answering() -> ChoiceResponse | TypedResponse:
        return (
            TypedResponse(screen, responses, empty)
            if meaning is None
            else ChoiceResponse(screen, responses, meaning)
        )

    presenter = SessionPresenter(screen, rules, PagePresenter(screen, PAGE, responses.quit))
    return presenter.present(trial() if meaning is None else trial("1", "2"), FRAMES, answering, feedback)


def at(refreshes: float) -> Any:
    """Return seconds since the first picture, of refreshes since the beginning."""
    return pytest.approx((refreshes - 7) * PERIOD, abs=1e-6)


def test_every_phase_has_its_refreshes_and_no_other() -> None:
    screen = ExactScreen([(30.4, "f")])
    outcome = present(screen)
    assert [screen.seen(one) for one in FRAMES] == [
        [2, 3, 4, 5, 6],
        [7, 8, 9, 10],
        [11, 12, 13],
        [*range(14, 24)],
        [24, 25],
    ]
    assert [round(shot.onset / PERIOD) for shot in outcome.shots] == [2, 7, 11, 14, 24]
    assert [round(shot.duration / PERIOD) for shot in outcome.shots] == [5, 4, 3, 10, 2]
    assert all(shot.onset == shot.intended_onset and shot.dropped == 0 for shot in outcome.shots)
    assert [shot.frame_sha256 for shot in outcome.shots] == [one.sha256 for one in FRAMES]
    assert (outcome.answer, outcome.key, outcome.seconds) == ("1", "f", at(30.4))
    assert outcome.timing_verified


def test_refreshes_that_were_missed_are_counted_where_they_were() -> None:
    screen = ExactScreen([(40, "f")], slow={9: 2, 17: 1})
    outcome = present(screen)
    assert [shot.dropped for shot in outcome.shots] == [0, 2, 0, 1, 0]
    assert [round(shot.duration / PERIOD) for shot in outcome.shots] == [5, 6, 3, 11, 2]
    assert [round((shot.onset - shot.intended_onset) / PERIOD) for shot in outcome.shots] == [0, 0, 2, 2, 3]


def test_presses_before_the_last_pictures_are_kept_but_do_not_count() -> None:
    outcome = present(ExactScreen([(3, "f"), (8, "j"), (12, "j"), (15.5, "f"), (20, "j")]))
    assert (outcome.answer, outcome.seconds) == ("1", at(15.5))
    assert [press.answer for press in outcome.presses] == ["1", "2", "2", "1", "2"]
    assert outcome.presses[0].seconds < 0


def test_answers_may_count_from_the_end_of_the_pictures() -> None:
    outcome = present(ExactScreen([(15.5, "f"), (24.5, "j")]), start="offset")
    assert (outcome.answer, outcome.seconds) == ("2", at(24.5))


def test_an_answer_may_end_the_pictures() -> None:
    screen = ExactScreen([(15.5, "f")])
    outcome = present(screen, ends_stimulus=True)
    assert screen.seen(FRAMES[3]) == [14, 15, 16]
    assert [round(shot.duration / PERIOD) for shot in outcome.shots] == [5, 4, 3, 3, 2]
    # That the mask came early is no delay.
    assert outcome.shots[4].intended_onset == outcome.shots[4].onset


@pytest.mark.parametrize(
    ("presses", "expected"),
    [
        ([], None),
        ([(30, "f"), (35, "j"), (45.5, "f")], "1"),
        ([(30, "f"), (35, "j"), (46.5, "f")], "2"),
        ([(46.5, "f")], None),
        ([(27, "x"), (28, "f")], "1"),
    ],
)
def test_the_last_press_within_the_window_counts(
    presses: list[tuple[float, str]], expected: str | None
) -> None:
    """The window is open for 20 refreshes after the mask."""
    screen = ExactScreen(presses)
    outcome = present(screen, counts="last", window="20 frames")
    assert outcome.answer == expected
    assert screen.seen(REST)[-2] == 47


def test_after_a_window_without_an_answer_there_is_none() -> None:
    screen = ExactScreen()
    told = []
    outcome = present(screen, window="20 frames", feedback=lambda answer: told.append(answer))  # type: ignore[func-returns-value] # None is what is wanted
    assert (outcome.answer, outcome.key, outcome.seconds, outcome.presses) == (None, None, None, ())
    assert told == [None]


def test_feedback_follows_the_answer() -> None:
    screen, played = ExactScreen([(30.5, "f")]), []
    words = FeedbackWords(correct="Right!")
    frames: dict[FeedbackKind, Frame] = {"correct": RIGHT, "wrong": WRONG}
    feedback = FeedbackComposer(frames, SIZE, words, lambda kind: played.append((kind, screen.refresh)))
    present(screen, feedback=lambda answer: feedback.compose("correct" if answer == "1" else "wrong"))
    assert screen.seen(RIGHT) == [32, 33, 34, 35, 36]
    assert screen.seen(WRONG) == []
    assert played == [("correct", 32)]
    assert [scene.texts[0].text for scene in feedback.scenes()] == ["Right!", "Wrong"]
    assert screen.shown[31][1] == feedback.scenes()[0]


def test_escape_breaks_the_trial_off_and_shows_it_again() -> None:
    screen = ExactScreen([(15.5, "f"), (16.5, "escape"), (22.5, "j"), (60.5, "j")])
    outcome = present(screen, start="offset")
    assert (outcome.answer, outcome.interrupted) == ("2", 1)
    assert len(screen.seen(PAGE)) == 6
    assert len(screen.seen(FRAMES[3])) == 4 + 10
    # What was pressed before the pause, and the key that ended it, are no presses of the trial.
    assert [press.answer for press in outcome.presses] == ["2"]


@pytest.mark.parametrize("moment", [1, 3.5, 9.5, 15.5, 24.5, 40.5])
def test_escape_twice_ends_the_session_at_any_moment(moment: float) -> None:
    screen = ExactScreen([(moment, "escape"), (moment + 5, "escape")])
    with pytest.raises(SessionStopped):
        present(screen)


def test_a_button_is_no_key_of_the_same_name() -> None:
    arrows = {"1": ("left",), "2": ("right",)}
    screen = ExactScreen([(15.5, "right")])
    screen.click(16.5, "left", (0, 0))
    assert present(screen, make_key_lookup(arrows, mouse=False)).answer == "2"
    screen = ExactScreen([(15.5, "right")])
    screen.click(16.5, "left", (0, 0))
    assert present(screen, make_key_lookup(arrows, mouse=True)).answer == "1"


def test_a_click_counts_where_the_answer_is() -> None:
    """Boxes are pixels from the upper left, points from the middle, y up."""
    places = make_click_lookup({"1": (0, 0, 20, 10), "2": (60, 50, 20, 10)}, SIZE)
    screen = ExactScreen()
    screen.click(15, "left", (0, 0))
    screen.click(16, "left", (-19, 29))
    screen.click(17, "left", (39, -29))
    outcome = present(screen, places)
    assert (outcome.answer, outcome.key, outcome.seconds) == ("2", "left", at(17))
    assert [press.answer for press in outcome.presses] == ["2"]


def test_marks_are_sent_at_the_first_refresh_of_every_phase_and_at_the_answer() -> None:
    screen, sent = ExactScreen([(30.5, "f"), (31.5, "j")]), []

    class Listening:
        """Equipment that is told of everything but fixation."""

        def events(self) -> set[Event]:
            return {"stimulus", "between", "mask", "response"}

        def send(self, event: Event) -> None:
            sent.append((event, screen.refresh))

    present(screen, lines=((Listening(), Listening()),))
    assert sent == [("stimulus", 7), ("between", 11), ("stimulus", 14), ("mask", 24), ("response", 31)]


def test_cues_and_gaps_are_marked_too_and_a_drawn_time_since_the_last_trial_is_kept() -> None:
    screen: Any = ExactScreen([(30.5, "f"), (70.5, "f")])
    sent: list[tuple[Event, int]] = []

    class Marking:
        """Equipment that is told of what is new in trials."""

        def events(self) -> set[Event]:
            return {"cue", "gap", "stimulus"}

        def send(self, event: Event) -> None:
            sent.append((event, screen.refresh))

    kinds = {"fixation": 3, "cue": 2, "gap": 4, "stimulus": 5}
    phases = tuple(Phase.model_validate({"kind": kind, "frames": n}) for kind, n in kinds.items())
    shown = trial("1", "2").model_copy(update={"phases": phases, "between_trials": 12})
    marking: Any = Marking()
    rules = PresentationRules(
        ResponseSettings(),
        REST,
        between_trials=50 * PERIOD,
        connections=((marking, marking),),
    )
    presenter = SessionPresenter(screen, rules, PagePresenter(screen, PAGE, "escape"))
    for _ in range(2):
        presenter.present(
            shown, FRAMES[:4], lambda: ChoiceResponse(screen, ResponseSettings(), KEYS), nothing
        )
    assert sent[:3] == [("cue", 5), ("gap", 7), ("stimulus", 11)]
    # The answer is at refresh 31 and fixation at 32: twelve refreshes later the next trial begins.
    assert screen.seen(FRAMES[0]) == [2, 3, 4, 44, 45, 46]


def letters(text: str, begin: float) -> list[tuple[float, str]]:
    return [(begin + i, letter) for i, letter in enumerate(text)]


def test_a_word_is_typed_and_ends_with_return() -> None:
    screen = ExactScreen(letters=[(3, "x"), *letters("a cuq\bp\r", 27), (40, "z")])
    outcome = present(screen, None)
    assert (outcome.answer, outcome.key, outcome.seconds) == ("a cup", "return", at(34))
    assert [press.answer for press in outcome.presses][-3:] == ["a cu", "a cup", "a cup"]
    assert [scene.texts[0].text for at, scene in screen.shown if at in (31, 32, 34)] == [
        "a cu_",
        "a cuq_",
        "a cup_",
    ]


def test_nothing_typed_is_no_answer_and_an_unfinished_word_is_none() -> None:
    outcome = present(ExactScreen(letters=letters("\r \rcup\r", 26)), None)
    assert (outcome.answer, outcome.seconds) == ("cup", at(32))
    outcome = present(ExactScreen(letters=[(26, "\r"), (27, " "), (28, "\r")]), None, empty="don't know")
    assert (outcome.answer, outcome.key, outcome.seconds) == ("don't know", "return", at(26))
    outcome = present(ExactScreen(letters=letters("c\bcup\r", 26)), None, empty="don't know")
    assert (outcome.answer, outcome.seconds) == ("cup", at(31))
    outcome = present(ExactScreen(letters=letters("cup", 30)), None, window="20 frames")
    assert (outcome.answer, [press.answer for press in outcome.presses]) == (None, ["c", "cu", "cup"])


def test_a_screen_is_told_to_be_good_or_why_not() -> None:
    steady = RefreshMeasurement.from_flip_times([i / 60 for i in range(200)])
    assert steady.hz == pytest.approx(60)
    assert (steady.dropped, steady.refreshes) == (0, 199)
    assert steady.problem(60.0) is None
    assert "60.00 Hz, 75 declared" in str(steady.problem(75.0))
    assert "does not wait" in str(
        RefreshMeasurement.from_flip_times([i / 2000 for i in range(200)]).problem(60.0)
    )
    missed = RefreshMeasurement.from_flip_times([(i + i // 50) / 60 for i in range(200)])
    assert missed.dropped == 3
    assert missed.problem(60.0) == "3 of 199 refreshes were missed"
