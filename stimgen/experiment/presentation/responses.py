"""What was answered, and when: keys, clicks, buttons and typed words, of which some count."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.design.trial import Box, Press
from stimgen.experiment.presentation.screen import PresentationScreen, PressEvent, TextBox
from stimgen.experiment.schema.timing import ResponseSettings


class TrialPaused(Exception):  # noqa: N818 - no error: the key to pause with was pressed
    """The trial is broken off."""


AnswerLookup = Callable[[PressEvent], str | None]
"""The answer that a press means; None where it means nothing."""


@dataclass
class ResponseWindow:
    """When answers count, in seconds of the screen's clock; never, until it is known.

    Attributes
    ----------
    onset : float
        Of the first picture.
    opens, closes : float
        Between them answers count.
    """

    onset: float = math.inf
    opens: float = math.inf
    closes: float = math.inf


class ChoiceResponse:
    """An answer that is one of several, given by a press.

    Parameters
    ----------
    screen : PresentationScreen
        Whose keyboard and mouse are listened to.
    responses : ResponseSettings
        What counts.
    meaning : callable
        Which answer a press means.
    texts : tuple of TextBox
        What is to be seen while it is awaited.
    """

    def __init__(
        self,
        screen: PresentationScreen,
        responses: ResponseSettings,
        meaning: AnswerLookup,
        texts: tuple[TextBox, ...] = (),
    ) -> None:
        self.window = ResponseWindow()
        self.texts = texts
        self._screen, self._responses, self._meaning = screen, responses, meaning
        self._presses: list[tuple[str, PressEvent]] = []

    def listen(self) -> None:
        """Take in what was pressed.

        Raises
        ------
        TrialPaused
            The key to pause with was.
        """
        for pressed in poll_presses(self._screen, self._responses.quit):
            if (answer := self._meaning(pressed)) is not None:
                self._presses.append((answer, pressed))

    @property
    def counted_press(self) -> Press | None:
        """The press that counts, of those until now."""
        window = self.window
        inside = [i for i, (_, p) in enumerate(self._presses) if window.opens <= p.time <= window.closes]
        return self.presses[inside[0 if self._responses.counts == "first" else -1]] if inside else None

    @property
    def complete(self) -> bool:
        """Whether no later press can change the answer."""
        over = self._screen.read_clock() > self.window.closes
        return over or (self._responses.counts == "first" and self.counted_press is not None)

    @property
    def presses(self) -> tuple[Press, ...]:
        """All presses that mean an answer, whether they count or not."""
        return tuple(
            Press(answer=answer, key=pressed.key, seconds=round(pressed.time - self.window.onset, 6))
            for answer, pressed in self._presses
        )


class TypedResponse:
    """An answer that is typed; return ends it.

    Parameters
    ----------
    screen : PresentationScreen
        Whose keyboard is listened to.
    responses : ResponseSettings
        Names the key to pause with.
    """

    def __init__(self, screen: PresentationScreen, responses: ResponseSettings) -> None:
        self.window = ResponseWindow()
        self._screen, self._responses = screen, responses
        self._text = ""
        self._done = False
        self._presses: list[tuple[str, PressEvent]] = []

    def listen(self) -> None:
        """Take in what was typed; see `ChoiceResponse.listen`."""
        poll_presses(self._screen, self._responses.quit)
        for typed in self._screen.typed():
            if not self._done and self.window.opens <= typed.time <= self.window.closes:
                self._take(typed.character, typed.time)

    def _take(self, character: str, time: float) -> None:
        name = {"\r": "return", "\b": "backspace"}.get(character, character)
        if character == "\b":
            self._text = self._text[:-1]
        elif character == "\r":
            # Nothing but blanks is no answer, and a second press of return after a notice is none either.
            self._done = bool(self._text.strip())
        elif character.isprintable():
            self._text += character
        self._presses.append((self._text.strip(), PressEvent(name, time)))

    @property
    def texts(self) -> tuple[TextBox, ...]:
        """What was typed until now, below the middle of the screen."""
        width, height = self._screen.size
        return (TextBox(self._text + "_", (width // 8, height * 5 // 8, width * 3 // 4, height // 8)),)

    @property
    def counted_press(self) -> Press | None:
        """The answer as it was when return was pressed."""
        return self.presses[-1] if self._done else None

    @property
    def complete(self) -> bool:
        """Whether return was pressed, or time is over."""
        return self._done or self._screen.read_clock() > self.window.closes

    @property
    def presses(self) -> tuple[Press, ...]:
        """Every key, with the word as it was after it."""
        return tuple(
            Press(answer=text, key=pressed.key, seconds=round(pressed.time - self.window.onset, 6))
            for text, pressed in self._presses
        )


def poll_presses(screen: PresentationScreen, quit_key: str) -> list[PressEvent]:
    """Return what was pressed since the last call.

    Raises
    ------
    TrialPaused
        The key to pause with was.
    """
    found = screen.read_presses()
    if any(pressed.point is None and pressed.key == quit_key for pressed in found):
        raise TrialPaused
    return found


def make_key_lookup(keys: Mapping[str, Sequence[str]], *, mouse: bool) -> AnswerLookup:
    """Return the meaning of keys, or of a mouse's buttons."""
    meant = {key: answer for answer, several in keys.items() for key in several}
    return lambda pressed: meant.get(pressed.key) if (pressed.point is not None) == mouse else None


def make_click_lookup(places: Mapping[str, Box], size: tuple[int, int]) -> AnswerLookup:
    """Return the meaning of a click at one of several places.

    Parameters
    ----------
    places : mapping
        For every answer left, top, width and height in pixels of the screen.
    size : tuple of int
        The screen's width and height.
    """

    def meaning(pressed: PressEvent) -> str | None:
        if pressed.point is None:
            return None
        x, y = pressed.point[0] + size[0] / 2, size[1] / 2 - pressed.point[1]
        for answer, (left, top, width, height) in places.items():
            if left <= x < left + width and top <= y < top + height:
                return answer
        return None

    return meaning
