"""Composes the feedback on an answer: a coloured mark, a word, a tone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.screen import FlipCallbacks, Scene, TextBox
from stimgen.experiment.schema.feedback import FeedbackKind, FeedbackWords


@dataclass(frozen=True)
class FeedbackSignal:
    """Represents what tells a participant of an answer, as long as the feedback lasts."""

    scene: Scene
    on_flip: FlipCallbacks = ()
    """Called when the scene appears: they play the tone."""


@dataclass(frozen=True)
class FeedbackComposer:
    """Composes the feedback of an experiment."""

    frames: Mapping[FeedbackKind, Frame]
    """What is shown besides words: the coloured mark, or fixation as usual."""
    size: tuple[int, int]
    """Width and height of the screen in pixels."""
    words: FeedbackWords | None = None
    """Words of the session's language; None without feedback by text."""
    play: Callable[[FeedbackKind], None] | None = None
    """Plays the tone; None without feedback by sound."""

    def compose(self, kind: FeedbackKind) -> FeedbackSignal | None:
        """Return the feedback; None if it shows and plays nothing."""
        if self.words is None and self.play is None and kind not in self.frames:
            return None
        play = self.play
        on_flip = () if play is None else (lambda: play(kind),)
        return FeedbackSignal(self._make_scene(kind), on_flip)

    def scenes(self) -> list[Scene]:
        """Return all scenes, which are loaded before a trial."""
        return [self._make_scene(kind) for kind in self.frames]

    def _make_scene(self, kind: FeedbackKind) -> Scene:
        if self.words is None:
            return Scene(self.frames[kind])
        width, height = self.size
        # Below the middle, so that the word does not cover the fixation mark.
        box = (width // 8, height * 9 // 16, width * 3 // 4, height // 8)
        return Scene(self.frames[kind], (TextBox(getattr(self.words, kind), box),))
