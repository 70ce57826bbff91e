"""Prepares the feedback of an experiment for a screen."""

from __future__ import annotations

from collections.abc import Callable

from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.feedback import FeedbackComposer
from stimgen.experiment.schema.feedback import FeedbackKind, FeedbackWords
from stimgen.experiment.session.observers.base import ObserverContext


def make_feedback_composer(
    context: ObserverContext, fixation: Frame, play: Callable[[FeedbackKind], None] | None
) -> FeedbackComposer:
    """Return what composes the feedback.

    `fixation` is shown where no mark changes, and `play` plays tones.
    """
    experiment = context.experiment
    by, render = experiment.feedback.by, context.frames.render_feedback
    frames: dict[FeedbackKind, Frame] = dict.fromkeys(("correct", "wrong", "missed"), fixation)
    if "mark" in by:
        frames |= {"correct": render(correct=True), "wrong": render(correct=False)}
        if experiment.responses.missed == "wrong":
            frames["missed"] = frames["wrong"]
        elif by == ("mark",):
            del frames["missed"]
    words = (context.texts.feedback or FeedbackWords()) if "text" in by else None
    return FeedbackComposer(frames, context.viewing.resolution, words, play)
