"""Checks, writes and reads participants' forms, which are kept apart from the trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from stimgen.experiment.design.decisions import Participant
from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import read_limited
from stimgen.stimulus_set.store import json_bytes

MAXIMUM_CHARACTERS = 1000
MAXIMUM_BYTES = 2**20
MAXIMUM_AGE = 120


def parse_form_answers(given: Sequence[str]) -> dict[str, str]:
    """Return the answers of options ``FIELD=ANSWER``, by field.

    Raises `StimgenError` if an option is not of this form, or a field occurs twice.

    Examples
    --------
    >>> parse_form_answers(["age=24", "vision=corrected = 20/20"])
    {'age': '24', 'vision': 'corrected = 20/20'}
    """
    answers: dict[str, str] = {}
    for text in given:
        field, sign, answer = text.partition("=")
        if not sign:
            raise StimgenError(f"--form {text!r} is not of the form FIELD=ANSWER, such as age=24")
        if field in answers:
            raise StimgenError(f"the form's field {field!r} is given twice")
        answers[field] = answer
    return answers


def check_form(asked: Sequence[str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in the order of the fields asked for. An empty answer means: not told.

    Raises `StimgenError` if a field is not asked for or is missing, or an answer is too long or not an age.
    """
    for field in answers:
        if field not in asked:
            raise StimgenError(
                f"the experiment does not ask for {field!r}",
                given=field,
                allowed=asked,
                hint="an experiment names its fields under participant: {form: [...]}",
            )
    missing = [field for field in asked if field not in answers]
    if missing:
        raise StimgenError(
            f"the experiment asks participants for {', '.join(missing)}",
            hint=f"answer with --form {missing[0]}=ANSWER, or --form {missing[0]}= if it is not told",
        )
    return {field: _check_answer(field, answers[field].strip()) for field in asked}


def write_form(file: Path, participant: Participant, answers: Mapping[str, str]) -> None:
    """Write checked answers to the participant's form. An existing form is replaced: it may be a correction.

    Raises `StimgenError` if the form cannot be written; an existing one is then kept.
    """
    form = {"participant": participant.label, "session": participant.session, "answers": dict(answers)}
    with write_atomically(file) as stream:
        stream.write(json_bytes({"format": 1, **form}))


def read_form(file: Path) -> dict[str, str]:
    """Return the answers of a form by field, or nothing if there is no form.

    Raises `StimgenError` if the form is damaged.
    """
    if not file.is_file():
        return {}
    try:
        answers = json.loads(read_limited(file, MAXIMUM_BYTES))["answers"]
        return {str(field): str(answer) for field, answer in answers.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StimgenError("is not a participant's form, or is damaged", where=file) from None


def _check_answer(field: str, answer: str) -> str:
    if len(answer) > MAXIMUM_CHARACTERS:
        raise StimgenError(
            f"the form's {field} has {len(answer)} characters; {MAXIMUM_CHARACTERS} are allowed"
        )
    if field == "age" and answer and not _is_age(answer):
        raise StimgenError(
            f"the form's age is {answer!r}, not a number of years up to {MAXIMUM_AGE}, such as 24"
        )
    return answer


def _is_age(answer: str) -> bool:
    try:
        return 0 <= float(answer) <= MAXIMUM_AGE
    except ValueError:
        return False
