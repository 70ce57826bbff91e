"""Which key means which answer, and whether keys are in each other's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stimgen.experiment.design.decisions import Participant
from stimgen.reading.errors import StimgenError

if TYPE_CHECKING:
    from stimgen.experiment.schema.schema import Experiment

Keys = Mapping[str, tuple[str, ...]]

MOUSE_BUTTONS = ("left", "middle", "right")
"""Names of a mouse's buttons."""


def assign_keys(experiment: Experiment, person: Participant) -> dict[str, tuple[str, ...]]:
    """Return the keys of every answer, in the order of answers; none where they are typed or clicked at.

    The paradigm's own are the default. With ``responses.swap``, participants of an even number have them in
    the opposite order: the last answer's keys give the first answer.

    Parameters
    ----------
    experiment : Experiment
        What it says.
    person : Participant
        Whose keys.

    Raises
    ------
    StimgenError
        Keys for an answer that there is not; ``swap`` for a participant whose label has no number.
    """
    responses, answers = experiment.responses, experiment.paradigm.answers()
    for answer in responses.keys:
        if answer not in answers:
            raise StimgenError(f"responses.keys: {answer!r} is no answer", given=answer, allowed=answers)
    if responses.device == "mouse":
        return {}
    usual: Mapping[str, str | tuple[str, ...]] = {**experiment.paradigm.default_keys(), **responses.keys}
    keys = {answer: _as_tuple(usual[answer]) for answer in answers if answer in usual}
    return _swap_keys(keys) if responses.swap and _is_even(person) else keys


def check_keys(experiment: Experiment, keys: Keys) -> None:
    """Refuse keys that mean two things, before the first trial.

    Parameters
    ----------
    experiment : Experiment
        Names the key to quit with, and those that triggers listen to.
    keys : mapping
        Keys of every answer; see `assign_keys`.

    Raises
    ------
    StimgenError
        A key stands for two answers, or for an answer and something else; an answer has no key; a button is
        none.
    """
    responses = experiment.responses
    taken: dict[str, str] = {responses.quit: "pauses the session (responses.quit)"}
    for trigger in experiment.triggers:
        for key in trigger.signal_keys():
            _claim_key(taken, key, f"is the signal of the trigger {trigger.name!r}")
    if responses.device == "mouse":
        return
    if responses.device == "buttons":
        taken = {}
    for answer in experiment.paradigm.answers():
        if not keys.get(answer):
            raise StimgenError(f"the answer {answer!r} has no key", hint="say it in responses.keys")
        for key in keys[answer]:
            if responses.device == "buttons" and key not in MOUSE_BUTTONS:
                raise StimgenError(f"{key!r} is no button of a mouse", given=key, allowed=MOUSE_BUTTONS)
            _claim_key(taken, key, f"stands for the answer {answer!r}")


def _claim_key(taken: dict[str, str], key: str, purpose: str) -> None:
    if key in taken:
        raise StimgenError(
            f"the key {key!r} {taken[key]}, and {purpose}, too", hint="name another in responses.keys"
        )
    taken[key] = purpose


def _as_tuple(keys: str | tuple[str, ...]) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else keys


def _swap_keys(keys: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return dict(zip(keys, reversed(keys.values()), strict=True))


def _is_even(person: Participant) -> bool:
    if person.number is None:
        raise StimgenError(
            f"responses.swap: whether the participant {person.participant!r} is an even one cannot be told",
            hint="let the label end in a number, such as 01",
        )
    return person.number % 2 == 0
