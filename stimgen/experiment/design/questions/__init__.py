"""Holds the questions that may follow the answer of a trial; each is one file."""

from __future__ import annotations

from typing import Annotated

from stimgen.experiment.design.questions.base import Question
from stimgen.reading.registry import Family

QUESTIONS = Family("question", Question, default="rating")
AnyQuestion = Annotated[Question, QUESTIONS]

__all__ = ["QUESTIONS", "AnyQuestion", "Question"]
