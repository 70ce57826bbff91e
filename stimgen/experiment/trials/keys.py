"""Assigns keys to answers, and checks that no key has two meanings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.equipment.key_names import check_key_name
from stimgen.reading.errors import StimgenError

if TYPE_CHECKING:
    from stimgen.experiment.schema.schema import Experiment

Keys = Mapping[str, tuple[str, ...]]

MOUSE_BUTTONS = ("left", "middle", "right")


def assign_keys(experiment: Experiment, participant: Participant) -> dict[str, tuple[str, ...]]:
    """Return the keys of every answer, in the order of answers; none if answers are typed or clicked.

    With ``responses.swap``, participants with an even number have the keys in the opposite order: the last
    answer's keys give the first answer. Keys for an unknown answer, and ``swap`` for a participant whose
    label has no number, raise a `StimgenError`.
    """
    responses, answers = experiment.responses, experiment.paradigm.answers()
    for answer in responses.keys:
        if answer not in answers:
            raise StimgenError(
                f"responses.keys: {answer!r} is not an answer of the paradigm", given=answer, allowed=answers
            )
    if responses.device == "mouse":
        return {}
    chosen: Mapping[str, str | tuple[str, ...]] = {**experiment.paradigm.default_keys(), **responses.keys}
    keys = {
        answer: (key,) if isinstance(key := chosen[answer], str) else key
        for answer in answers
        if answer in chosen
    }
    if not responses.swap:
        return keys
    if participant.number is None:
        raise StimgenError(
            f"responses.swap: the participant's label must end in a number; {participant.label!r} does not",
            hint="use labels such as 01, 02, ...",
        )
    return dict(zip(keys, reversed(keys.values()), strict=True)) if participant.number % 2 == 0 else keys


def check_swap(experiment: Experiment) -> None:
    """Raise a `StimgenError` if swapped keys would contradict the answers.

    They do where the answers are places on the screen, because the key of the left place would mean the right
    one, and where the key of one answer is the name of another: the key 1 would mean the answer 2.
    """
    if not experiment.responses.swap or experiment.responses.device == "mouse":
        return
    if experiment.paradigm.answers_are_places:
        raise StimgenError(
            f"swap: true would contradict the places: the answers of {experiment.paradigm.name} are pictures "
            "at places on the screen, and every second participant would have the keys of other places",
            hint="leave out swap; where the correct picture is shown is balanced for every participant",
        )
    if not set(experiment.responses.keys) <= set(experiment.paradigm.answers()):
        return  # keys for unknown answers are the mistake that is reported
    keys = assign_keys(experiment, Participant("2"))
    for answer, several in keys.items():
        for key in several:
            if key != answer and key in keys:
                raise StimgenError(
                    f"swap: true would contradict the answers: every second participant would press the key "
                    f"{key!r} for the answer {answer!r}",
                    hint="leave out swap, or give every answer a key in responses.keys that names no other, "
                    "such as f and j",
                )


def check_keys(experiment: Experiment, keys: Keys) -> None:
    """Raise a `StimgenError` if a key has two meanings or does not exist, or an answer has no key.

    `keys` are those of `assign_keys`. The keys to quit and those that triggers listen to have a meaning, too.
    """
    responses, taken = experiment.responses, list_keys_in_use(experiment)
    if responses.device == "mouse":
        return
    if responses.device == "buttons":
        taken = {}
    for answer in experiment.paradigm.answers():
        if not keys.get(answer):
            raise StimgenError(f"the answer {answer!r} has no key", hint="add one to responses.keys")
        for key in keys[answer]:
            purpose = f"stands for the answer {answer!r}"
            if responses.device == "keyboard":
                check_key_name(key, purpose)
            elif key not in MOUSE_BUTTONS:
                raise StimgenError(f"{key!r} is not a mouse button", given=key, allowed=MOUSE_BUTTONS)
            claim_key(taken, key, purpose)


def list_keys_in_use(experiment: Experiment) -> dict[str, str]:
    """Return the keys that are no answers, and what each of them does.

    A key that does not exist, is the signal of two triggers, or quits as well, raises a `StimgenError`.
    """
    taken = {experiment.responses.quit: "pauses the session (responses.quit)"}
    check_key_name(experiment.responses.quit, taken[experiment.responses.quit])
    for trigger in experiment.triggers:
        for key in trigger.signal_keys():
            check_key_name(key, f"is the signal of the trigger {trigger.name!r}")
            claim_key(taken, key, f"is the signal of the trigger {trigger.name!r}")
    return taken


def claim_key(
    taken: dict[str, str], key: str, purpose: str, hint: str = "choose another key in responses.keys"
) -> None:
    """Note that a key has a purpose; raise a `StimgenError` if it has one already."""
    if key in taken:
        raise StimgenError(
            f"the key {key!r} has two meanings: it {taken[key]}, and it {purpose}",
            hint=hint,
        )
    taken[key] = purpose
