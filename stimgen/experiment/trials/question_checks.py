"""Checks, before the first trial, that the questions after trials can be asked and answered."""

from __future__ import annotations

from stimgen.experiment.design.questions import Question
from stimgen.experiment.equipment.key_names import check_key_name
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.trials.keys import claim_key, list_keys_in_use
from stimgen.reading.errors import StimgenError


def check_questions(loaded: LoadedExperiment) -> None:
    """Raise a `StimgenError` if a question lacks a text in a language, or a key has two meanings."""
    for i, question in enumerate(loaded.experiment.questions):
        with loaded.at("questions", i):
            for language in loaded.experiment.instructions:
                question.check_language(language)
            check_question_keys(loaded.experiment, question)


def check_question_keys(experiment: Experiment, question: Question) -> None:
    """Raise a `StimgenError` if a key of a question has two meanings.

    The keys to quit and those that triggers listen to have a meaning, too; where an answer is typed, every
    letter has one.
    """
    taken = list_keys_in_use(experiment)
    hint = "choose another key, for the question or for the other purpose"
    if question.input_kind == "typed":
        for key, purpose in taken.items():
            if len(key) == 1:
                raise StimgenError(
                    f"the key {key!r} has two meanings: it {purpose}, and it is a letter of what is typed",
                    hint="choose another key for the other purpose",
                )
    for key in question.control_keys():
        claim_key(taken, key, f"is needed to answer the question {question.key!r}", hint)
    for answer, key in question.answer_keys().items():
        purpose = f"stands for the answer {answer!r} to the question {question.key!r}"
        check_key_name(key, purpose)
        claim_key(taken, key, purpose, hint)
