"""Computes what an observer of known sensitivity answers, and sensitivity from answers; one file per task."""

from __future__ import annotations

import numpy as np

from stimgen.reading.errors import StimgenError
from stimgen.sensitivity.correction import CORRECTIONS, correct_counts
from stimgen.sensitivity.estimates import Counts, DprimeEstimate, estimate_from_correct, estimate_from_rates
from stimgen.sensitivity.intervals import find_wilson_interval
from stimgen.sensitivity.models import RATE_TASKS, RULES, DecisionModel

__all__ = [
    "CORRECTIONS",
    "RATE_TASKS",
    "RULES",
    "Counts",
    "DecisionModel",
    "DprimeEstimate",
    "correct_counts",
    "dprime",
    "estimate_from_correct",
    "estimate_from_rates",
    "find_wilson_interval",
]


def dprime(  # noqa: PLR0913 # each is one fact that d' depends on, and a user writes two or three
    correct: float | None = None,
    task: str = "oddity",
    *,
    hits: float | None = None,
    false_alarms: float | None = None,
    alternatives: int = 0,
    rule: str = "",
    dimensions: int = 1,
) -> float:
    """Return d' from a proportion correct, or from hits and false alarms.

    Extreme proportions are taken as they are; see `stimgen.sensitivity.correct_counts` for corrections and
    `estimate_from_correct` for intervals.

    Parameters
    ----------
    correct : float, optional
        Proportion correct, from 0 to 1, in ``oddity``, ``two_afc``, ``forced_choice`` and ``abx``.
    task : str
        One of those, or ``yes_no`` or ``same_different``.
    hits, false_alarms : float, optional
        Rates from 0 to 1 of "yes" or "different", in ``yes_no`` and ``same_different``.
    alternatives : int, optional
        Number of alternatives of ``forced_choice`` and ``oddity`` (3 unless said).
    rule : str, optional
        Decision rule; see `stimgen.sensitivity.RULES`. The first is the default.
    dimensions : int
        Number of dimensions of sensations in ``oddity``.

    Returns
    -------
    float
        d' in standard deviations of one observation; 0 for less than chance (negative in forced choice),
        infinite for perfect answers.

    Raises
    ------
    StimgenError
        A value is missing, out of range, or does not belong to the task.

    Examples
    --------
    >>> round(dprime(0.8), 3)
    3.129
    >>> round(dprime(0.8, "forced_choice", alternatives=3), 3)
    1.652
    >>> round(dprime(task="yes_no", hits=0.8, false_alarms=0.2), 3)
    1.683
    """
    model = DecisionModel(task, rule, alternatives, dimensions)
    given = {"correct": correct, "hits": hits, "false_alarms": false_alarms}
    wanted = ("hits", "false_alarms") if model.has_rates else ("correct",)
    for name, value in given.items():
        if (value is None) == (name in wanted):
            verb = "needs" if value is None else "does not use"
            raise StimgenError(f"the task {task} {verb} {name}; it needs {' and '.join(wanted)}")
        if value is not None and not 0 <= value <= 1:
            raise StimgenError(f"{name} must be a proportion from 0 to 1, not {value}")
    values = [np.asarray(given[name], dtype=float) for name in wanted]
    return float(model.invert_rates(*values)[0] if model.has_rates else model.invert(values[0]))
