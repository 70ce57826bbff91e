"""Collects the presses during a stream of pictures, which together are the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from typing_extensions import override

from stimgen.experiment.design.trial import Press
from stimgen.experiment.presentation.responses import AnswerLookup, ChoiceResponse
from stimgen.experiment.presentation.screen import PresentationScreen
from stimgen.experiment.schema.timing import ResponseSettings

PressReader = Callable[[Sequence[float]], str]
"""Returns the answer that presses at these times since the first picture are."""


class StreamResponse(ChoiceResponse):
    """Takes all presses from the first picture until the window closes; the first is recorded as the key."""

    def __init__(
        self, screen: PresentationScreen, settings: ResponseSettings, lookup: AnswerLookup, read: PressReader
    ) -> None:
        super().__init__(screen, settings, lookup)
        self._read = read

    @property
    @override
    def counted_press(self) -> Press | None:
        inside = [one for one in self.presses if one.seconds >= 0.0 and self._is_in_time(one)]
        if not inside:
            return None
        answer = self._read([one.seconds for one in inside])
        return Press(answer=answer, key=inside[0].key, seconds=inside[0].seconds)

    @property
    @override
    def is_complete(self) -> bool:
        return self._is_over

    def _is_in_time(self, press: Press) -> bool:
        return self.window.onset + press.seconds <= self.window.closes
