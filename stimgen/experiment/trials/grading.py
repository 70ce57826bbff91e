"""Grades answers, and says which trials were missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.feedback import FeedbackKind

if TYPE_CHECKING:
    from stimgen.experiment.schema.schema import Experiment


def classify_answer(experiment: Experiment, trial: Trial, answer: str | None) -> FeedbackKind | None:
    """Return what feedback tells of an answer, or of a missed trial; None if no answer can be correct."""
    if answer is None:
        return None if trial.correct is None else "missed"
    correct = grade_answer(experiment, trial, answer)
    return None if correct is None else "correct" if correct else "wrong"


def grade_answer(experiment: Experiment, trial: Trial, answer: str | None) -> bool | None:
    """Return whether an answer is correct; None if no answer can be, or if the trial was missed.

    With ``responses.missed: wrong`` a missed trial, which has a correct answer, is wrong.
    """
    if answer is None and trial.correct is not None and experiment.responses.missed == "wrong":
        return False
    return experiment.paradigm.grade(trial, answer)
