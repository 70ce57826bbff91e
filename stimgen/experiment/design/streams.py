"""Reads the presses of a trial that is a stream of pictures, some of which are repetitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from stimgen.experiment.design.trial import Trial

REPEAT = "repeat"
"""The one answer of a stream."""
REPEATED_FACTOR = "repeated"
NO_POSITION = "none"
SEPARATOR = "+"


def format_positions(positions: Iterable[int]) -> str:
    """Return positions in the stream, counted from 1, as an answer.

    Examples
    --------
    >>> format_positions([4, 9]), format_positions([])
    ('4+9', 'none')
    """
    return SEPARATOR.join(map(str, positions)) or NO_POSITION


def parse_positions(answer: str | None) -> tuple[int, ...]:
    """Return the positions that an answer names."""
    return () if answer in (None, NO_POSITION) else tuple(map(int, str(answer).split(SEPARATOR)))


def list_onsets(trial: Trial, refresh_hz: float) -> list[float]:
    """Return the planned onset of every picture of a stream, in seconds from that of the first."""
    begins = [0, *accumulate(phase.frames for phase in trial.phases)]
    starts = zip(begins, trial.phases, strict=False)
    found = [begin / refresh_hz for begin, phase in starts if phase.kind == "stimulus"]
    return [onset - found[0] for onset in found]


def attribute_presses(trial: Trial, seconds: Sequence[float], refresh_hz: float, window: float) -> list[int]:
    """Return the positions, counted from 1, of the pictures that presses are about.

    A press within `window` seconds from the onset of a repetition is about it: about the last one for which
    there was no press yet. Any other press is about the picture that began last. A second press about the
    same picture does not count. `seconds` are times since the onset of the first picture.
    """
    onsets, repetitions = list_onsets(trial, refresh_hz), parse_positions(trial.correct)
    found: set[int] = set()
    for time in sorted(seconds):
        near = [
            position
            for position in repetitions
            if 0 <= time - onsets[position - 1] <= window and position not in found
        ]
        found.add(near[-1] if near else max(1, sum(onset <= time for onset in onsets)))
    return sorted(found)


def count_hits(trial: Trial, answer: str | None) -> tuple[int, int, int] | None:
    """Return the numbers of repetitions, hits and false alarms of a stream; None for other trials."""
    if trial.answers != (REPEAT,) or REPEATED_FACTOR not in trial.balanced:
        return None
    wanted, found = set(parse_positions(trial.correct)), set(parse_positions(answer))
    return len(wanted), len(wanted & found), len(found - wanted)
