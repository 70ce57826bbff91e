"""Takes an answer on a slider, with the mouse or with keys."""

from __future__ import annotations

from typing_extensions import override

from stimgen.experiment.design.questions.scale import CONFIRMING_KEYS, SLIDER_END, SLIDER_STEPS
from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.slider import find_value
from stimgen.experiment.presentation.responses import ConfirmedResponse, make_click_lookup, poll_presses
from stimgen.experiment.presentation.screen import PresentationScreen, PressEvent, TextBox
from stimgen.experiment.schema.timing import ResponseSettings


class SliderResponse(ConfirmedResponse):
    """Takes a value from 0 to 100. There is no mark, and nothing to confirm, until a value was chosen.

    A click on the slider chooses a value, and so do keys. Return, the space bar or a click in the box
    `confirm` ends the answer.
    """

    def __init__(
        self,
        screen: PresentationScreen,
        settings: ResponseSettings,
        texts: tuple[TextBox, ...],
        confirm: Box,
    ) -> None:
        super().__init__(screen, settings)
        self.texts = texts
        self.value: int | None = None
        """Where the mark is."""
        self._find_confirmation = make_click_lookup({"": confirm}, screen.size)

    @override
    def listen(self) -> None:
        for pressed in poll_presses(self._screen, self._settings.quit):
            if self._is_awaited(pressed.time):
                self._take(pressed)

    def _take(self, pressed: PressEvent) -> None:
        before, done = self.value, self._is_confirmation(pressed)
        self._done = done and self.value is not None
        self.value = self.value if done else self._choose_value(pressed)
        if self._done or self.value != before:
            self._presses.append((str(self.value), pressed))

    def _is_confirmation(self, pressed: PressEvent) -> bool:
        if pressed.point is None:
            return pressed.key in CONFIRMING_KEYS
        return self._find_confirmation(pressed) is not None

    def _choose_value(self, pressed: PressEvent) -> int | None:
        if pressed.point is not None:
            width, height = self._screen.size
            x, y = pressed.point[0] + width / 2, height / 2 - pressed.point[1]
            found = find_value(self._screen.size, x, y)
            return self.value if found is None else found
        if pressed.key not in SLIDER_STEPS:
            return self.value
        if self.value is None:
            return SLIDER_END // 2
        return min(max(self.value + SLIDER_STEPS[pressed.key], 0), SLIDER_END)
