"""The course of a session: practice, blocks, breaks, and nothing that depends on anything but the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from stimgen.experiment.design.decisions import Design, Factor, Participant, TrialDecision, TrialResult
from stimgen.experiment.design.practice import draw_practice_trials
from stimgen.experiment.design.schedules import Schedule
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.feedback import FeedbackSettings
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import BreakSettings, Instructions, PracticeSettings
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure, SessionStep

TEXTS = Instructions(
    start="hello",
    practice="try",
    practice_again="again: {score}",
    block="go",
    rest="{score}, {left} left",
    end="bye",
)
CONDITION = Factor("condition", ("easy", "hard"))


class InOrder(Schedule):
    """Two blocks of so many trials each, whatever is answered."""

    name: Literal["in_order"] = "in_order"
    trials: int = 4

    @property
    def blocked_factors(self) -> tuple[str, ...]:
        return ("condition",)

    def check(self, design: Design) -> None:
        del design

    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        return tuple(
            TrialDecision(
                block, {"condition": value}, design.sources[i % len(design.sources)], {"location": 1}
            )
            for block, value in enumerate(design.factors[0].values, 1)
            for i in range(self.trials)
        )

    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        every = self.list_decisions(design)
        return every[len(history)] if len(history) < len(every) else None


class Builder:
    def build(self, choice: TrialDecision, index: int, number: int, *, practice: bool = False) -> Trial:
        del number
        return Trial(
            index=index,
            block=choice.block,
            practice=practice,
            levels=dict(choice.levels),
            source=choice.source,
            balanced=dict(choice.balanced),
            phases=(),
            answers=("1", "2"),
            correct="1",
        )


def design(*sources: str) -> Design:
    return Design(
        (CONDITION,), sources, (Factor("location", (1, 2)),), Participant("01"), ("experiment", "x", 1)
    )


def course(**settings: Any) -> SessionProcedure:
    told: dict[str, Any] = {
        "feedback": FeedbackSettings(),
        "practice": None,
        "breaks": None,
        "schedule": InOrder(),
        **settings,
    }
    # Only what a course asks for.
    experiment = Experiment.model_construct(**told)
    practised = design("c", "d") if told["practice"] else None
    return SessionProcedure(experiment, Builder(), design("a", "b"), practised, TEXTS)  # type: ignore[arg-type] # a stand-in


def walked(course: SessionProcedure, correct: Sequence[bool | None] = ()) -> list[SessionStep]:
    """Return all steps of a session with these answers, correct ones after them."""
    history: list[AnsweredTrial] = []
    steps: list[SessionStep] = []
    while (step := course.next(history)) is not None:
        steps.append(step)
        answer = correct[len(history)] if len(history) < len(correct) else True
        history.append(AnsweredTrial(step.trial, answer))
    return steps


def told(step: SessionStep) -> list[tuple[str, str]]:
    return [(notice.kind, notice.text) for notice in step.notices]


def test_trials_come_in_the_order_of_the_schedule_and_blocks_are_announced() -> None:
    steps = walked(course())
    assert [step.trial.index for step in steps] == list(range(1, 9))
    assert [step.trial.block for step in steps] == [1] * 4 + [2] * 4
    assert told(steps[0]) == [("start", "hello"), ("block", "go")]
    assert told(steps[4]) == [("block", "go")]
    assert all(not step.notices for i, step in enumerate(steps) if i not in (0, 4))


def test_breaks_come_every_so_many_trials_with_the_score_since_the_last() -> None:
    answers = [True, True, False, None, False, True, True, True]
    steps = walked(course(breaks=BreakSettings(every=3)), answers)
    assert told(steps[3]) == [("break", "67 %, 5 left")]
    assert told(steps[6]) == [("break", "50 %, 2 left")]
    silent = walked(course(breaks=BreakSettings(every=3, score=False)), answers)
    assert told(silent[3]) == [("break", ", 5 left")]


def test_practice_has_its_own_sources_and_comes_once() -> None:
    steps = walked(course(practice=PracticeSettings(trials=3, sources=("c", "d"))))
    assert [step.trial.practice for step in steps] == [True] * 3 + [False] * 8
    assert {step.trial.source for step in steps[:3]} <= {"c", "d"}
    assert told(steps[0]) == [("start", "hello"), ("practice", "try")]
    assert told(steps[3]) == [("block", "go")]
    assert [step.feedback for step in steps] == [True] * 3 + [False] * 8


def test_practice_before_every_block_is_of_the_blocks_own_level() -> None:
    steps = walked(course(practice=PracticeSettings(trials=2, sources=("c",), before="block")))
    assert [step.trial.practice for step in steps] == ([True] * 2 + [False] * 4) * 2
    assert {step.trial.levels["condition"] for step in steps[:2]} == {"easy"}
    assert {step.trial.levels["condition"] for step in steps[6:8]} == {"hard"}


@pytest.mark.parametrize(
    ("answers", "rounds"), [([True, True], 1), ([True, False], 2), ([False] * 20, 3), ([None, True] * 10, 3)]
)
def test_practice_is_repeated_until_the_criterion_or_the_last_attempt(answers: list, rounds: int) -> None:
    practice = PracticeSettings(trials=2, sources=("c",), criterion=1.0, attempts=3)
    steps = walked(course(practice=practice), answers)
    assert sum(step.trial.practice for step in steps) == 2 * rounds
    if rounds > 1:
        assert told(steps[2])[0][0] == "practice_again"


def test_the_score_of_a_practice_is_that_of_the_last_attempt() -> None:
    practice = PracticeSettings(trials=2, sources=("c",), criterion=1.0)
    steps = walked(course(practice=practice), [False, False, True, False])
    assert told(steps[2]) == [("practice_again", "again: 0 %")]
    assert told(steps[4]) == [("practice_again", "again: 50 %")]


@pytest.mark.parametrize(
    ("criterion", "answers", "missed"),
    [(1.0, [False] * 4, True), (1.0, [False, False, True, True], False), (None, [False] * 2, False)],
)
def test_a_criterion_that_was_never_reached_is_noted_once(
    criterion: float | None, answers: list[bool], missed: bool
) -> None:
    practice = PracticeSettings(trials=2, sources=("c",), criterion=criterion, attempts=2)
    steps = walked(course(practice=practice), answers)
    assert [step.missed for step in steps] == [False] * len(answers) + [missed] + [False] * 7


def test_what_is_coming_ends_before_the_next_thing_to_read() -> None:
    some = course(breaks=BreakSettings(every=3), practice=PracticeSettings(trials=2, sources=("c",)))
    steps = walked(some)
    history: list[AnsweredTrial] = []
    lengths = []
    while len(history) < len(steps):
        coming = some.upcoming_steps(history)
        assert coming == steps[len(history) : len(history) + len(coming)]
        lengths.append(len(coming))
        history += [AnsweredTrial(step.trial, True) for step in coming]
    # Practice; three trials and a break; one to the end of the block; two and a break; two.
    assert lengths == [2, 3, 1, 2, 2]


def test_with_feedback_always_every_trial_has_it() -> None:
    steps = walked(course(feedback=FeedbackSettings(when="always")))
    assert all(step.feedback for step in steps)


def test_the_last_words() -> None:
    assert course().end_notice([]).text == "bye"


def test_practice_trials_are_drawn_without_repetition_and_anew_for_every_attempt() -> None:
    every = 2 * 2 * 2  # conditions, sources, locations
    drawn = draw_practice_trials(design("c", "d"), 2 * every, 0, (1, 0))
    for half in (drawn[:every], drawn[every:]):
        assert len({str(choice) for choice in half}) == every
    assert drawn == draw_practice_trials(design("c", "d"), 2 * every, 0, (1, 0))
    assert drawn != draw_practice_trials(design("c", "d"), 2 * every, 0, (1, 1))


def test_whether_practice_is_repeated_is_not_certain_before_it_was_answered() -> None:
    practice = PracticeSettings(trials=2, sources=("c",), criterion=1.0)
    silent = course(practice=practice)
    told = replace(silent, texts=Instructions())  # nothing is to be read before a repetition
    assert [step.trial.practice for step in told.upcoming_steps([])] == [True, True]
    wrong = [AnsweredTrial(step.trial, False) for step in told.upcoming_steps([])]
    assert [step.trial.practice for step in told.upcoming_steps(wrong)] == [True, True]
    right = [AnsweredTrial(step.trial, True) for step in told.upcoming_steps([])]
    assert not any(step.trial.practice for step in told.upcoming_steps(right))


def told_when_resumed(course: SessionProcedure, done: int) -> list[tuple[str, str]]:
    """Return what is read when a session of correct answers is resumed after so many trials."""
    history = [AnsweredTrial(step.trial, True) for step in walked(course)[:done]]
    notices = course.resume_notices(history)
    step = course.next(history)
    return [(one.kind, one.text) for one in (*notices, *(step.notices if step else ()))]


def test_a_resumed_session_begins_with_a_page_and_the_text_of_the_place_where_it_stands() -> None:
    texts = TEXTS.model_copy(update={"ready": "ready"})
    resumed = replace(course(practice=PracticeSettings(trials=2, sources=("c", "d"))), texts=texts)
    assert told_when_resumed(resumed, 0) == [("start", "hello"), ("practice", "try")]
    assert told_when_resumed(resumed, 1) == [("ready", "ready"), ("practice", "try")]
    assert told_when_resumed(resumed, 2) == [("ready", "ready"), ("block", "go")]
    assert told_when_resumed(resumed, 3) == [("ready", "ready"), ("block", "go")]
    assert told_when_resumed(resumed, 6) == [("ready", "ready"), ("block", "go")]
    assert told_when_resumed(resumed, 10) == []
    rested = replace(course(breaks=BreakSettings.model_validate({"every": 3, "min": "5 s"})), texts=texts)
    assert told_when_resumed(rested, 3)[0] == ("ready", "ready")
    assert [kind for kind, _ in told_when_resumed(rested, 3)] == ["ready", "break"]


def test_a_break_has_its_times_and_pages_have_their_pictures() -> None:
    texts = TEXTS.model_copy(update={"pictures": {"block": "b.png", "rest": "r.png"}})
    steps = walked(
        replace(
            course(breaks=BreakSettings.model_validate({"every": 3, "min": "5 s", "max": "9 s"})), texts=texts
        )
    )
    (rest,) = steps[3].notices
    assert (rest.picture, rest.minimum_s, rest.maximum_s) == ("r.png", 5.0, 9.0)
    start, block = steps[0].notices
    assert (start.picture, block.picture, block.minimum_s, block.maximum_s) == ("", "b.png", 0.0, None)
