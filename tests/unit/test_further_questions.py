"""Questions after a trial: when they are asked, how confidence follows the evidence, and that they resume."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, truncnorm
from test_presenter import PAGE, PERIOD, SIZE, ExactScreen, letters

from stimgen.cli.experiment_text import format_trials
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Box, FurtherAnswer
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.slider import find_line
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.journal.replay import JournalReplay, RedrawnFrame
from stimgen.experiment.pictures.pictures import PictureFiles
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.question_presenter import PreparedQuestion, QuestionPresenter
from stimgen.experiment.presentation.responses import ChoiceResponse, Response, TypedResponse, make_key_lookup
from stimgen.experiment.presentation.screen import SessionStopped
from stimgen.experiment.presentation.slider_response import SliderResponse
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.timing import ResponseSettings
from stimgen.experiment.session.simulated_questions import draw_evidence
from stimgen.export.event_columns import event_columns
from stimgen.export.events import event_rows
from stimgen.export.journals.csv import trial_rows
from stimgen.export.sessions import read_session
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream
from stimgen.stimulus_set.store import Store
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.trials import list_session_trials

SETTINGS = ResponseSettings()
CONFIRM: Box = (30, 50, 20, 8)
QUESTIONS = """questions:
  - name: confidence
  - {name: rating, by: slider, text: "natural?", when: main}
  - {name: typed, text: "what?", when: practice, window: 600 ms}
"""
PSYCHOMETRIC = "simulated: {psychometric: {threshold: 300, slope: 3}}\n"


class PointingScreen(ExactScreen):
    """An exact screen with a mouse pointer that may be hidden."""

    pointer = False

    def show_pointer(self, *, visible: bool) -> None:
        self.pointer = visible


def prepare_question(screen: Any, kind: str = "keys", window: float | None = None) -> PreparedQuestion:

    def make_response() -> Response:
        if kind == "typed":
            return TypedResponse(screen, SETTINGS, None)
        if kind == "slider":
            return SliderResponse(screen, SETTINGS, (), CONFIRM)
        return ChoiceResponse(screen, SETTINGS, make_key_lookup({"1": ("f",), "2": ("j",)}, mouse=False))

    def find_frame(response: Response) -> Frame:
        value = response.value if isinstance(response, SliderResponse) else None
        return Frame(
            SIZE, (128, 128, 128), 0, 0, np.full((1, 1, 3), 255 if value is None else value, np.uint8)
        )

    return PreparedQuestion("q", make_response, find_frame, window, pointer=kind == "slider")


def ask(screen: Any, *how: Any, on_flip: Any = tuple, **more: Any) -> FurtherAnswer:
    """Ask a question that appears at refresh 1."""
    pages = PagePresenter(screen, PAGE, "escape")
    return QuestionPresenter(screen, pages, "escape", on_flip).ask(
        prepare_question(screen, *how, **more), 0.0
    )


def at(refreshes: float) -> Any:
    """Return seconds since the question appeared, of refreshes since the beginning."""
    return pytest.approx((refreshes - 1) * PERIOD, abs=1e-6)


class TestPresenting:
    def test_what_was_pressed_before_is_no_answer(self) -> None:
        answer = ask(PointingScreen([(-3, "f"), (0.5, "f"), (5.2, "x"), (6.2, "j"), (6.3, "f")]))
        assert (answer.question, answer.answer, answer.key, answer.seconds) == ("q", "2", "j", at(6.2))
        assert answer.onset == pytest.approx(PERIOD)

    def test_other_equipment_is_told_when_it_appears(self) -> None:
        screen = PointingScreen([(5, "f")])
        marks: list[int] = []
        ask(screen, on_flip=lambda: [lambda: marks.append(screen.refresh)])
        assert marks == [1]

    def test_a_window_ends_it(self) -> None:
        screen = PointingScreen([(40, "f")])
        answer = ask(screen, window=10 * PERIOD)
        assert (answer.answer, answer.key, answer.seconds, answer.presses) == (None, None, None, ())
        assert screen.refresh == 12

    def test_a_pause_asks_it_again(self) -> None:
        answer = ask(PointingScreen([(5, "escape"), (9, "f"), (14.5, "j")]))
        assert (answer.answer, answer.interrupted) == ("2", 1)
        assert answer.onset > 9 * PERIOD

    def test_two_presses_of_the_pause_key_end_the_session(self) -> None:
        with pytest.raises(SessionStopped):
            ask(PointingScreen([(5, "escape"), (9, "escape")]))

    def test_a_word_is_typed(self) -> None:
        answer = ask(PointingScreen(letters=[(0.5, "x"), *letters("cuq\bp\r", 4)]), "typed")
        assert (answer.answer, answer.key, answer.seconds) == ("cup", "return", at(9))

    def test_a_slider_is_moved_by_keys_between_its_ends(self) -> None:
        keys = ["return", "right", *["right"] * 12, "down", "space", "left"]
        screen = PointingScreen([(2 + i, key) for i, key in enumerate(keys)])
        answer = ask(screen, "slider")
        assert (answer.answer, answer.key, answer.seconds) == ("99", "space", at(17))
        assert [press.answer for press in answer.presses] == [
            *[str(value) for value in range(50, 101, 5)],
            "99",
            "99",
        ]
        assert screen.pointer is False

    def test_a_slider_is_clicked(self) -> None:
        left, top, width, _ = find_line(SIZE)
        screen = PointingScreen()

        def click(refresh: float, x: float, y: float) -> None:
            screen.click(refresh, "left", (x - SIZE[0] / 2, SIZE[1] / 2 - y))

        click(3, 40, 54)  # nothing to confirm
        click(4, left + width / 4, top)
        click(5, left + width, top + 1)
        click(6, left + width / 2, 5)  # beside the slider
        click(7, 40, 54)
        answer = ask(screen, "slider")
        assert (answer.answer, answer.key, answer.seconds) == ("100", "left", at(7))
        assert len(answer.presses) == 3


@given(st.floats(-4, 8), st.booleans(), st.integers(0, 10_000))
def test_evidence_is_never_negative_or_infinite(mean: float, correct: bool, seed: int) -> None:
    evidence = draw_evidence(mean, correct, RandomStream("evidence", seed))
    assert 0 <= evidence < 30


@pytest.mark.parametrize("mean", [0.0, 0.7, 2.5])
def test_evidence_is_a_normal_distribution_cut_at_the_boundary(mean: float) -> None:
    stream = RandomStream("evidence", "test")
    right = [draw_evidence(mean, True, stream) for _ in range(800)]
    wrong = [-draw_evidence(mean, False, stream) for _ in range(800)]
    assert kstest(right, truncnorm(-mean, math.inf, loc=mean).cdf).pvalue > 0.001
    assert kstest(wrong, truncnorm(-math.inf, -mean, loc=mean).cdf).pvalue > 0.001
    neither = [draw_evidence(mean, None, stream) for _ in range(800)]
    assert kstest(neither, truncnorm(0, math.inf).cdf).pvalue > 0.001


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_its_set(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(folder: Path, *changes: tuple[str, str]) -> PreparedExperiment:
    file = write_experiment(folder, ("practice:\n", QUESTIONS + "practice:\n"), *changes)
    return PreparedExperiment.prepare(load_experiment(file))


def simulate(folder: Path, *changes: tuple[str, str]) -> RecordedSession:
    options = RunOptions(observer="simulated", data=folder / "data")
    return read_journal(run_session(prepare(folder, *changes), Participant("01"), options).journal)


class TestSimulated:
    def test_questions_follow_the_trials_that_they_are_for(self, folder: Path) -> None:
        recorded = simulate(folder, ("instructions:\n", "simulated: {missing: 0.3}\ninstructions:\n"))
        asked = set()
        for line in recorded.trials:
            names = [further.question for further in line.outcome.further]
            if line.outcome.answer is None:
                assert names == []
            else:
                assert names == ["confidence", "typed" if line.trial.practice else "rating"]
            asked |= set(names)
            assert all(further.frame_sha256 for further in line.outcome.further)
        assert len(asked) == 3

    def test_time_passes_while_questions_are_answered(self, folder: Path) -> None:
        ends = 0.0
        for line in simulate(folder).trials:
            assert line.outcome.shots[0].onset >= ends
            for further in line.outcome.further:
                assert further.onset >= ends
                ends = further.onset + (0.6 if further.seconds is None else further.seconds)
        (late,) = {f.answer for line in simulate_late(folder) for f in line.outcome.further[1:]}
        assert late is None

    def test_confidence_is_higher_where_the_answer_is_correct(self, folder: Path) -> None:
        more = ("repetitions: 3", "repetitions: 36")
        ratings: dict[bool | None, list[int]] = {True: [], False: []}
        for line in simulate(folder, more).trials:
            ratings[line.correct].append(int(line.outcome.further[0].answer or 0))
        assert np.mean(ratings[True]) > np.mean(ratings[False]) + 0.2
        assert {*ratings[True], *ratings[False]} == {1, 2, 3, 4}

    def test_a_psychometric_function_has_evidence_too(self, folder: Path) -> None:
        """At the lowest level the observer guesses, and at the highest it is certain."""
        lines = simulate(
            folder,
            ("repetitions: 3", "repetitions: 12\n  level: duration"),
            ("stimulus: 200 ms", "stimulus: [100 ms, 800 ms]"),
            ("instructions:\n", PSYCHOMETRIC + "instructions:\n"),
        ).trials
        sure: dict[object, list[int]] = {"100 ms": [], "800 ms": []}
        for line in lines:
            sure[line.trial.levels["duration"]].append(int(line.outcome.further[0].answer or 0))
        assert np.mean(sure["800 ms"]) > 3.5 > np.mean(sure["100 ms"]) + 0.5

    def test_an_interrupted_session_continues_as_if_it_had_not_been(self, folder: Path) -> None:
        prepared = prepare(folder)
        options = RunOptions(observer="simulated", data=folder / "one")
        whole = read_journal(run_session(prepared, Participant("01"), options).journal)

        def interrupt(answered: Any) -> None:
            if answered.trial.index == 5:
                raise KeyboardInterrupt

        options = RunOptions(observer="simulated", data=folder / "two")
        with pytest.raises(KeyboardInterrupt):
            run_session(prepared, Participant("01"), options, interrupt)
        options = RunOptions(observer="simulated", data=folder / "two", resume=True)
        again = read_journal(run_session(prepared, Participant("01"), options).journal)
        for one, other in zip(whole.trials, again.trials, strict=True):
            given = [[f.replace(onset=0.0) for f in line.outcome.further] for line in (one, other)]
            assert given[0] == given[1]

    def test_answers_are_in_both_tables(self, folder: Path) -> None:
        simulate(folder)
        (journal,) = (folder / "data" / "journals").iterdir()
        session = read_session(journal)
        rows = list(trial_rows(session))
        assert [name for name in rows[0] if name.startswith("question_")] == [
            f"question_{name}.{part}"
            for name in ("confidence", "typed", "rating")
            for part in ("response", "keys", "rt")
        ]
        (part,) = session.parts
        assert "question" in [column.name for column in event_columns((part,))]
        events = list(event_rows(part, lambda _: ""))
        assert [row["onset"] for row in events] == sorted(row["onset"] for row in events)
        ratings = [row["response"] for row in events if row.get("question") == "rating"]
        assert ratings == [row["question_rating.response"] for row in rows if row["question_rating.keys"]]

    def test_trials_are_the_same_with_and_without_questions(self, folder: Path) -> None:
        asked = [line.trial for line in simulate(folder).trials]
        prepared = PreparedExperiment.prepare(load_experiment(write_experiment(folder)))
        options = RunOptions(observer="simulated", data=folder / "without")
        without = read_journal(run_session(prepared, Participant("01"), options).journal)
        assert [line.trial for line in without.trials] == asked
        last = json.loads(without.trials[-1].outcome.model_dump_json())
        assert "further" not in last


def simulate_late(folder: Path) -> list[Any]:
    """Return practice trials whose typed answer comes too late."""
    slow = ("instructions:\n", "simulated: {time: {shift: 0.7}}\ninstructions:\n")
    options = RunOptions(observer="simulated", data=folder / "late")
    journal = run_session(prepare(folder, slow), Participant("01"), options).journal
    return [line for line in read_journal(journal).trials if line.trial.practice]


def test_questions_are_in_the_list_of_trials(folder: Path) -> None:
    found = list_session_trials(prepare(folder), Participant("01"))
    assert found["questions"] == {"confidence": "always", "rating": "main", "typed": "practice"}
    line = format_trials(found).splitlines()[1]
    assert line == "Questions after each trial: confidence, rating (not in practice), typed (practice only)"


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("{name: confidence, keys: [a, s, d, escape]}", ("e.yaml:27", "'escape'", "responses.quit")),
        ("{name: confidence, keys: [a, s, d, d]}", ("'d' has two meanings", "'4'")),
        ('{name: rating, text: "?", column: confidence}\n  - confidence', ("two questions", "'confidence'")),
        ('{name: rating, text: {en: "?"}}', ("e.yaml:27", "'de'", "add de:")),
    ],
)
def test_what_cannot_be_asked_is_told_with_its_line(
    folder: Path, question: str, parts: tuple[str, ...]
) -> None:
    file = write_experiment(folder, ("practice:\n", f"questions:\n  - {question}\npractice:\n"))
    with pytest.raises(StimgenError) as refused:
        PreparedExperiment.prepare(load_experiment(file))
    assert all(part in str(refused.value) for part in parts)


@pytest.mark.parametrize(
    ("question", "quit_key"),
    [('{name: typed, text: "?"}', "q"), ('{name: rating, text: "?", by: slider}', "space")],
)
def test_keys_that_are_needed_to_answer_cannot_pause(folder: Path, question: str, quit_key: str) -> None:
    file = write_experiment(
        folder,
        ("practice:\n", f"questions:\n  - {question}\npractice:\n"),
        ("responses:\n", f"responses:\n  quit: {quit_key}\n"),
    )
    with pytest.raises(StimgenError, match=f"'{quit_key}' has two meanings"):
        PreparedExperiment.prepare(load_experiment(file))


RATING = "paradigm:\n  name: rating\n  steps: 5\n"


def test_pictures_are_rated_without_a_correct_answer(folder: Path) -> None:
    """Originals are rated higher by an observer to whom syntheses look different."""
    file = write_experiment(
        folder,
        (
            "paradigm:\n  name: oddity\n  angles: [90, 210, 330]\n  eccentricity: 4\n  oddball: original\n",
            RATING,
        ),
        ('  keys: {"1": up, "2": left, "3": right}', '  keys: {"1": a, "5": g}'),
        ("repetitions: 3", "repetitions: 40"),
        ("instructions:\n", "simulated: {dprime: 2}\ninstructions:\n"),
    )
    options = RunOptions(observer="simulated", data=folder / "data")
    prepared = PreparedExperiment.prepare(load_experiment(file))
    outcome = run_session(prepared, Participant("01"), options)
    assert (outcome.correct, outcome.missed, outcome.complete) == (None, 0, True)
    rated: dict[object, list[int]] = {"original": [], "synthesis": []}
    for line in read_journal(outcome.journal).trials:
        assert line.correct is None
        rated[line.trial.balanced["shown"]].append(int(line.outcome.answer or 0))
    assert np.mean(rated["original"]) > np.mean(rated["synthesis"]) + 1
    assert {*rated["original"], *rated["synthesis"]} == {1, 2, 3, 4, 5}


def test_a_strangers_journal_with_other_questions_is_not_drawn(folder: Path) -> None:
    simulate(folder)
    (journal,) = (folder / "data" / "journals").iterdir()
    replay = JournalReplay.from_journal(journal)
    pictures = PictureFiles((Store.open(folder / "set"),))
    line = replay.find_trial(5)
    assert all(frame.agrees for frame in replay.redraw(line, pictures))
    rating = line.outcome.further[1]

    def redraw(**changes: Any) -> list[RedrawnFrame]:
        outcome = line.outcome.replace(further=(rating.replace(**changes),))
        return list(replay.redraw(line._replace(outcome=outcome), pictures))

    with pytest.raises(StimgenError, match="has no question 'shoe size'"):
        redraw(question="shoe size")
    for answer in ("101", "-1", "9" * 5000, "x", "²"):
        press = rating.presses[-1].replace(answer=answer)
        assert redraw(presses=(press,))[-1].agrees is False
