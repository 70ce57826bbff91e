"""Lists how long the phases of a trial were meant to be, for tables."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.export.columns import TableColumn

KINDS = ("fixation", "cue", "gap", "between", "mask")
"""Phases whose durations have columns of their own; that of the pictures has always had one."""
ABOUT = {
    "fixation": "Fixation before the first picture",
    "cue": "Cue before the pictures",
    "gap": "Fixation from a cue to the pictures, or from the pictures to what has an asynchrony to them",
    "between": "Fixation between intervals",
    "mask": "Mask before or after the pictures",
    "soa": "From the onset of the pictures to that of their mask, or of the next pictures",
    "between_trials": "Shortest time since the trial before",
}


def list_timed_kinds(lines: Iterable[RecordedTrial]) -> list[str]:
    """Return what has a duration in some of the trials: kinds of phases, ``soa`` and ``between_trials``."""
    found: dict[str, None] = {}
    for line in lines:
        found |= dict.fromkeys(count_phase_frames(line))
    return [kind for kind in (*KINDS, "soa", "between_trials") if kind in found]


def count_phase_frames(line: RecordedTrial) -> dict[str, list[int]]:
    """Return the planned refreshes of a trial's phases by their kind, in their order.

    ``soa`` is the time from the onset of pictures to the end of the gap after them, ``between_trials`` the
    shortest time since the trial before, where it was drawn.
    """
    found: dict[str, list[int]] = {}
    for phase in line.trial.phases:
        if phase.kind in KINDS:
            found.setdefault(phase.kind, []).append(phase.frames)
    for before, phase in pairwise(line.trial.phases):
        if (before.kind, phase.kind) == ("stimulus", "gap"):
            found.setdefault("soa", []).append(before.frames + phase.frames)
    if line.trial.between_trials is not None:
        found["between_trials"] = [line.trial.between_trials]
    return found


def duration_columns(kinds: Iterable[str]) -> list[TableColumn]:
    """Return two columns for each of the kinds.

    Those that a trial may have several of name no unit, because they are then lists, which BIDS takes for
    text.
    """
    return [
        TableColumn(
            f"{kind}_{unit}",
            f"{ABOUT[kind]}, as planned, in {about}; semicolons part several.",
            units=about if kind in ("fixation", "between_trials") else None,
        )
        for kind in kinds
        for unit, about in (("frames", "refreshes"), ("ms", "ms"))
    ]


def list_planned_durations(line: RecordedTrial, refresh_hz: float) -> dict[str, str]:
    """Return the durations of a trial for a table, in refreshes and in milliseconds; semicolons part them.

    `refresh_hz` is the rate that the trial was planned with.
    """
    found = {}
    for kind, counts in count_phase_frames(line).items():
        found[f"{kind}_frames"] = ";".join(map(str, counts))
        found[f"{kind}_ms"] = ";".join(f"{1000 * count / refresh_hz:.8g}" for count in counts)
    return found
