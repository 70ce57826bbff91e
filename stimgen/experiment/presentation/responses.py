"""Collects responses to a trial: keys, clicks, buttons and typed words, and which of them count."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from stimgen.experiment.design.trial import Box, Press
from stimgen.experiment.presentation.screen import PresentationScreen, PressEvent, TextBox
from stimgen.experiment.schema.timing import ResponseSettings


class TrialPaused(Exception):  # noqa: N818 - not an error: the pause key was pressed
    """Breaks the trial off."""


AnswerLookup = Callable[[PressEvent], str | None]
"""Returns the answer that a press means, or None."""


@dataclass
class ResponseWindow:
    """Holds when answers count, in seconds of the screen's clock; never, until that is known."""

    onset: float = math.inf
    """Onset of the first picture."""
    opens: float = math.inf
    closes: float = math.inf


class Response(ABC):
    """Collects presses until no later one can change the answer."""

    texts: tuple[TextBox, ...]
    """What is shown while the answer is awaited."""

    def __init__(self, screen: PresentationScreen, settings: ResponseSettings) -> None:
        self.window = ResponseWindow()
        self._screen, self._settings = screen, settings
        self._presses: list[tuple[str, PressEvent]] = []

    @abstractmethod
    def listen(self) -> None:
        """Read what was pressed, or raise `TrialPaused` if the pause key was."""

    @property
    @abstractmethod
    def counted_press(self) -> Press | None:
        """Return the press that counts, of those until now."""

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Return whether no later press can change the answer."""

    @property
    def presses(self) -> tuple[Press, ...]:
        """Return all presses with the answers that they meant, whether they count or not."""
        return tuple(
            Press(answer=answer, key=pressed.key, seconds=round(pressed.time - self.window.onset, 6))
            for answer, pressed in self._presses
        )

    @property
    def _is_over(self) -> bool:
        return self._screen.read_clock() > self.window.closes


class ChoiceResponse(Response):
    """Takes an answer that is one of several and is given by a press, which `lookup` understands."""

    def __init__(
        self,
        screen: PresentationScreen,
        settings: ResponseSettings,
        lookup: AnswerLookup,
        texts: tuple[TextBox, ...] = (),
    ) -> None:
        super().__init__(screen, settings)
        self.texts, self._lookup = texts, lookup

    @override
    def listen(self) -> None:
        for pressed in poll_presses(self._screen, self._settings.quit):
            if (answer := self._lookup(pressed)) is not None:
                self._presses.append((answer, pressed))

    @property
    @override
    def counted_press(self) -> Press | None:
        window = self.window
        inside = [i for i, (_, p) in enumerate(self._presses) if window.opens <= p.time <= window.closes]
        return self.presses[inside[0 if self._settings.counts == "first" else -1]] if inside else None

    @property
    @override
    def is_complete(self) -> bool:
        return self._is_over or (self._settings.counts == "first" and self.counted_press is not None)


class ConfirmedResponse(Response):
    """Represents a response that changes until it is confirmed."""

    def __init__(self, screen: PresentationScreen, settings: ResponseSettings) -> None:
        super().__init__(screen, settings)
        self._done = False

    @property
    @override
    def counted_press(self) -> Press | None:
        return self.presses[-1] if self._done else None

    @property
    @override
    def is_complete(self) -> bool:
        return self._done or self._is_over

    def _is_awaited(self, time: float) -> bool:
        """Return whether what was pressed at a time can change the answer."""
        return not self._done and self.window.opens <= time <= self.window.closes


class TypedResponse(ConfirmedResponse):
    """Takes an answer that is typed and ended with return; a press is a key with the word after it.

    Return without letters gives the answer `empty`, or nothing if that is None. `texts` are shown above it.
    """

    def __init__(
        self,
        screen: PresentationScreen,
        settings: ResponseSettings,
        empty: str | None = None,
        texts: tuple[TextBox, ...] = (),
    ) -> None:
        super().__init__(screen, settings)
        self._empty, self._other_texts = empty, texts
        self._text = ""
        self._update_texts()

    @override
    def listen(self) -> None:
        poll_presses(self._screen, self._settings.quit)
        for typed in self._screen.read_characters():
            if self._is_awaited(typed.time):
                self._take(typed.character, typed.time)
        self._update_texts()

    def _take(self, character: str, time: float) -> None:
        name = {"\r": "return", "\b": "backspace"}.get(character, character)
        if character == "\b":
            self._text = self._text[:-1]
        elif character == "\r":
            # Spaces alone are not an answer, nor is a second press of return after a notice.
            self._text = self._text if self._text.strip() else self._empty or self._text
            self._done = bool(self._text.strip())
        elif character.isprintable():
            self._text += character
        self._presses.append((self._text.strip(), PressEvent(name, time)))

    def _update_texts(self) -> None:
        """Put the word below the middle of the screen."""
        width, height = self._screen.size
        box = (width // 8, height * 5 // 8, width * 3 // 4, height // 8)
        self.texts = (*self._other_texts, TextBox(self._text + "_", box))


def poll_presses(screen: PresentationScreen, quit_key: str) -> list[PressEvent]:
    """Return the presses since the last call, or raise `TrialPaused` if the pause key is among them."""
    found = screen.read_presses()
    if any(pressed.point is None and pressed.key == quit_key for pressed in found):
        raise TrialPaused
    return found


def make_key_lookup(keys: Mapping[str, Sequence[str]], *, mouse: bool) -> AnswerLookup:
    """Return the lookup of answers by keys, or by mouse buttons."""
    answers = {key: answer for answer, several in keys.items() for key in several}
    return lambda pressed: answers.get(pressed.key) if (pressed.point is not None) == mouse else None


def make_click_lookup(places: Mapping[str, Box], size: tuple[int, int]) -> AnswerLookup:
    """Return the lookup of answers by clicks in their boxes, on a screen of this size."""

    def find_answer(pressed: PressEvent) -> str | None:
        if pressed.point is None:
            return None
        x, y = pressed.point[0] + size[0] / 2, size[1] / 2 - pressed.point[1]
        inside = (a for a, (left, top, w, h) in places.items() if left <= x < left + w and top <= y < top + h)
        return next(inside, None)

    return find_answer
