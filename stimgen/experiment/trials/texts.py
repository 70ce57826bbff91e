"""Fills the keys of a participant into the texts of a session, and checks the names in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.experiment.trials.keys import Keys
from stimgen.reading.errors import StimgenError

TEXTS = ("start", "ready", "practice", "practice_again", "block", "rest", "end", "pause", "waiting")
"""The instructions' fields that participants read."""

KEY_WORDS = {
    "left": "left arrow",
    "right": "right arrow",
    "up": "up arrow",
    "down": "down arrow",
    "space": "space bar",
    **{f"num_{digit}": f"{digit} on the number pad" for digit in range(10)},
}
BUTTON_WORDS = {name: f"{name} mouse button" for name in ("left", "middle", "right")}

START_PAGE = "Your answers:\n\n{keys}\n\nPress any key to begin."
READY_PAGE = "The session continues.\n\n{keys}\n\nPress any key to begin."
CLICK, TYPE = "Click on your answer.", "Type your answer, then press return."

_PLACEHOLDER = re.compile(r"\{([^{}:\s]+):([^{}\n]*)\}")


def fill_texts(experiment: Experiment, texts: Instructions, keys: Keys) -> Instructions:
    """Return the texts with a participant's keys, and with the pages that are shown where a text is missing.

    `keys` are those of `assign_keys`.
    """
    kinds = ["block"] if experiment.practice is None else ["block", "practice"]
    pictures = {str(name): file for name, file in texts.pictures.items()}
    first = [getattr(texts, kind) or pictures.get(kind) for kind in kinds]
    if texts.ready is None and "start" in pictures:
        pictures.setdefault("ready", pictures["start"])
    start = texts.start if texts.start is not None else "" if any(first) else START_PAGE
    ready = texts.ready if texts.ready is not None else texts.start or READY_PAGE
    filled = {"start": start, "ready": ready}
    words = _AnswerWords(experiment, texts, keys)
    every = {name: filled.get(name, getattr(texts, name)) for name in TEXTS}
    shown: dict[str, object] = {name: words.fill(text) for name, text in every.items()}
    return texts.model_copy(update=shown | {"pictures": pictures})


def check_texts(loaded: LoadedExperiment) -> None:
    """Raise a `StimgenError`, with file and line, if a text names an answer or key that does not exist."""
    experiment = loaded.experiment
    answers, known = experiment.paradigm.answers(), _list_keys(experiment)
    for language, texts in loaded.experiment.instructions.items():
        place = ("instructions", language)
        for name in TEXTS:
            with loaded.at(*place, name):
                _check_placeholders(getattr(texts, name) or "", answers)
        words_needed = experiment.feedback.when != "never" and "text" in experiment.feedback.by
        if words_needed and texts.feedback is None and not language.startswith("en"):
            raise StimgenError(
                f"instructions.{language} has no words for the feedback",
                where=loaded.document.where(place),
                hint="add feedback: {correct: ..., wrong: ..., missed: ...}",
            )
        for key in texts.keys:
            with loaded.at(*place, "keys", key):
                if key not in known:
                    raise StimgenError(f"no answer has the key {key!r}", given=key, allowed=known)


class _AnswerWords:
    """Tells a participant how to give each answer."""

    def __init__(self, experiment: Experiment, texts: Instructions, keys: Keys) -> None:
        self._texts, self._keys, self._device = texts, keys, experiment.responses.device
        self._answers = experiment.paradigm.answers()

    def fill(self, text: str) -> str:
        """Return a text with words in place of ``{key:ANSWER}`` and ``{keys}``."""
        filled = _PLACEHOLDER.sub(lambda found: self._describe_keys(found[2].strip()), text)
        return filled.replace("{keys}", self._list_answers())

    def _list_answers(self) -> str:
        """Return a line for each answer with its keys; or that answers are clicked or typed."""
        if not self._answers:
            return TYPE
        if self._device == "mouse":
            return CLICK
        return "\n".join(f"{self._word(answer)}: {self._describe_keys(answer)}" for answer in self._answers)

    def _describe_keys(self, answer: str) -> str:
        """Return the words of the keys of an answer; of one that is clicked, the answer's own word."""
        if self._device == "mouse":
            return self._word(answer)
        return " / ".join(self._describe_key(key) for key in self._keys.get(answer, ()))

    def _describe_key(self, key: str) -> str:
        usual: Mapping[str, str] = BUTTON_WORDS if self._device == "buttons" else KEY_WORDS
        return self._texts.keys.get(key, usual.get(key, key))

    def _word(self, answer: str) -> str:
        return self._texts.answers.get(answer, answer)


def _list_keys(experiment: Experiment) -> list[str]:
    """Return all keys of answers, whoever has them, and the key that pauses."""
    chosen = {**experiment.paradigm.default_keys(), **experiment.responses.keys}
    several = ((keys,) if isinstance(keys, str) else keys for keys in chosen.values())
    return [*dict.fromkeys(key for keys in several for key in keys), experiment.responses.quit]


def _check_placeholders(text: str, answers: Sequence[str]) -> None:
    for name, answer in ((name, answer.strip()) for name, answer in _PLACEHOLDER.findall(text)):
        if name != "key":
            raise StimgenError(
                f"{{{name}:{answer}}} is not a placeholder",
                given=name,
                allowed=["key"],
                hint="write {key:ANSWER}",
            )
        if not answers:
            raise StimgenError(
                f"{{key:{answer}}}: answers are typed, and have no keys", hint="leave it out, or write {keys}"
            )
        if answer not in answers:
            raise StimgenError(
                f"{{key:{answer}}}: {answer!r} is not an answer of the paradigm",
                given=answer,
                allowed=answers,
            )
