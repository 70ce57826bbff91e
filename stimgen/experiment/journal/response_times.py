"""Computes response times from what journals hold."""

from __future__ import annotations

from typing import Final

from stimgen.experiment.journal.journal import RecordedTrial

EDITING_KEYS: Final = ("return", "backspace", " ")
"""Names of the typed characters that are no letters."""


def time_from_last(line: RecordedTrial) -> float | None:
    """Return the seconds from the onset of the last interval's pictures to the answer; None without one.

    Journals keep the time from the first pictures, which is longer by the intervals before the last.
    """
    if line.outcome.seconds is None:
        return None
    phases = zip(line.trial.phases, line.outcome.shots, strict=True)
    onsets = [shot.onset for phase, shot in phases if phase.kind == "stimulus"]
    return round(line.outcome.seconds - (onsets[-1] - onsets[0]), 6)


def time_of_first_letter(line: RecordedTrial) -> float | None:
    """Return the seconds from the first pictures to the first letter of a typed answer; None without one."""
    if line.trial.answers:
        return None
    letters = (press.seconds for press in line.outcome.presses if press.key not in EDITING_KEYS)
    return next(letters, None)
