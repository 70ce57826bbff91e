"""A participant's form: what the experiment asks for and nothing else, kept apart from the trials."""

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
    """Return the answers of ``FIELD=ANSWER``, by their fields.

    Raises
    ------
    StimgenError
        One has another form, or a field comes twice.

    Examples
    --------
    >>> parse_form_answers(["age=24", "vision=corrected = 20/20"])
    {'age': '24', 'vision': 'corrected = 20/20'}
    """
    answers: dict[str, str] = {}
    for text in given:
        field, sign, answer = text.partition("=")
        if not sign:
            raise StimgenError(f"the form's {text!r} is not of the form FIELD=ANSWER, such as age=24")
        if field in answers:
            raise StimgenError(f"the form's field {field!r} is given twice")
        answers[field] = answer
    return answers


def check_form(asked: Sequence[str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in the order in which the experiment asks for them; an empty one means: not told.

    Parameters
    ----------
    asked : sequence of str
        Fields of the experiment's form.
    answers : mapping
        Field to answer, all of those asked for.

    Raises
    ------
    StimgenError
        A field is not asked for, or missing; an answer is too long, or no age.
    """
    for field in answers:
        if field not in asked:
            message = f"the experiment does not ask for {field!r}"
            raise StimgenError(
                message, given=field, allowed=asked, hint="participant: {form: [...]} names fields"
            )
    missing = [field for field in asked if field not in answers]
    if missing:
        raise StimgenError(
            f"the experiment asks participants for {', '.join(missing)}",
            hint=f"answer with --form {missing[0]}=ANSWER; --form {missing[0]}= where it is not told",
        )
    return {field: _check_answer(field, answers[field].strip()) for field in asked}


def write_form(file: Path, person: Participant, answers: Mapping[str, str]) -> None:
    """Write a form; one that is there is replaced, as a mistake in it may be corrected.

    Parameters
    ----------
    file : Path
        See `DataFolder.form_file`.
    person : Participant
        Whose it is.
    answers : mapping
        See `check_form`.

    Raises
    ------
    StimgenError
        It cannot be written; the one before is kept then.
    """
    form = {"participant": person.participant, "session": person.session, "answers": dict(answers)}
    with write_atomically(file) as stream:
        stream.write(json_bytes({"format": 1, **form}))


def read_form(file: Path) -> dict[str, str]:
    """Return the answers of a form, by their fields; nothing where there is no form.

    Raises
    ------
    StimgenError
        It is damaged.
    """
    if not file.is_file():
        return {}
    try:
        answers = json.loads(read_limited(file, MAXIMUM_BYTES))["answers"]
        return {str(field): str(answer) for field, answer in answers.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StimgenError("is no form of a participant", where=file) from None


def _check_answer(field: str, answer: str) -> str:
    if len(answer) > MAXIMUM_CHARACTERS:
        raise StimgenError(
            f"the form's {field} has {len(answer)} characters; {MAXIMUM_CHARACTERS} are allowed"
        )
    if field == "age" and answer and not _is_age(answer):
        raise StimgenError(f"the form's age is {answer!r}: years are wanted, such as 24, or nothing")
    return answer


def _is_age(answer: str) -> bool:
    try:
        return 0 <= float(answer) <= MAXIMUM_AGE
    except ValueError:
        return False
