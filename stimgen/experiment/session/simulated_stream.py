"""Presses the key of a stream of pictures, as an observer without a screen does."""

from __future__ import annotations

from dataclasses import dataclass

from stimgen.experiment.design.streams import REPEAT, list_onsets, parse_positions
from stimgen.experiment.design.trial import Press, Trial
from stimgen.experiment.session.observers.base import ObserverContext


@dataclass(frozen=True)
class StreamPresses:
    """Holds the presses of a stream, and the answer that they are."""

    presses: tuple[Press, ...] = ()
    counted: Press | None = None
    """The first press, with the answer that all of them are; None without presses."""


def press_in_stream(
    context: ObserverContext, trial: Trial, answer: str, seconds: float | None
) -> StreamPresses:
    """Return a press `seconds` after each picture whose position the answer names; none if that is None.

    What the presses mean follows from their times, as for a person: late ones may be about other pictures.
    """
    hz = context.viewing.refresh_hz
    onsets = list_onsets(trial, hz)
    times = [] if seconds is None else [onsets[i - 1] + seconds for i in parse_positions(answer)]
    if not times:
        return StreamPresses()
    key = context.keys.get(REPEAT, (REPEAT,))[0]
    presses = tuple(Press(answer=REPEAT, key=key, seconds=round(time, 6)) for time in times)
    said = context.experiment.paradigm.read_presses(trial, times, hz)
    return StreamPresses(presses, Press(answer=said, key=key, seconds=presses[0].seconds))
