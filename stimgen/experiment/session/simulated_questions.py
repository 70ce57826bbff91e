"""Records how observers without a screen answer the questions after a trial."""

from __future__ import annotations

import math

from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import FurtherAnswer, Press
from stimgen.experiment.session.observers.base import ObserverContext
from stimgen.experiment.session.simulated_typing import simulate_typing
from stimgen.reading.random_numbers import RandomStream


def record_further_answer(
    context: ObserverContext, question: Question, answer: str, seconds: float | None, *, onset: float
) -> FurtherAnswer:
    """Return what is recorded of an answer, `seconds` after the onset; None, or too late, is no answer."""
    presses: tuple[Press, ...] = ()
    if seconds is not None and seconds <= _find_window(context, question):
        presses = _press(question, answer, round(seconds, 6))
    is_slider = question.input_kind == "slider"
    frame = context.frames.render_question(
        slider=is_slider, value=int(answer) if is_slider and presses else None
    )
    last = presses[-1] if presses else None
    return FurtherAnswer(
        question=question.key,
        answer=last.answer if last else None,
        key=last.key if last else None,
        seconds=last.seconds if last else None,
        presses=presses,
        onset=round(onset, 6),
        frame_sha256=frame.sha256,
    )


def find_question_seconds(context: ObserverContext, question: Question, further: FurtherAnswer) -> float:
    """Return how long a question was on the screen: until its answer, or the end of its window."""
    if further.seconds is not None:
        return further.seconds
    window = _find_window(context, question)
    return 0.0 if window == math.inf else window


def draw_evidence(mean: float, correct: bool | None, stream: RandomStream) -> float:
    """Return the distance of an observation from the decision boundary, in standard deviations.

    The observation is normal with this mean and variance 1, and falls on the right side of the boundary if
    the answer was correct, and on the wrong side if not. This is confidence in signal detection theory, with
    the answer given (Maniscalco & Lau 2012). If no answer is correct, the mean does not matter.
    """
    from scipy.special import ndtr, ndtri

    share = stream.uniform()
    if correct is None:
        return float(abs(ndtri(0.5 + share / 2)))
    # By the reflected distribution, the tail in use is the lower one, which is exact far out, too.
    tail = float(ndtr(mean if correct else -mean))
    observation = float(ndtri(max(share * tail, 1e-300)))
    return abs(observation - (mean if correct else -mean))


def _press(question: Question, answer: str, seconds: float) -> tuple[Press, ...]:
    if question.input_kind == "typed":
        return simulate_typing(answer, seconds, letters=answer != question.answer_without_letters())
    key = question.answer_keys().get(answer, "return")
    return (Press(answer=answer, key=key, seconds=seconds),)


def _find_window(context: ObserverContext, question: Question) -> float:
    if question.window is None:
        return math.inf
    return question.window.milliseconds(context.viewing.refresh_hz) / 1000
