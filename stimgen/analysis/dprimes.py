"""Computes d' of each participant in each cell, by the task's decision rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stimgen.analysis.cells import count_trials
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import Counts, DecisionModel, estimate_from_correct, estimate_from_rates

if TYPE_CHECKING:
    import pandas as pd

SIGNALS = {"yes_no": "yes", "same_different": "different"}
"""The answer that is a hit where it is correct."""


def compute_dprime(
    table: TrialTable, keys: Sequence[str], settings: AnalysisSettings | None = None
) -> pd.DataFrame:
    """Return d' of each cell, with its interval.

    Parameters
    ----------
    table : TrialTable
        The trials, with the model of their task.
    keys : sequence of str
        Columns whose values make a cell. d' pooled over observers is lower than their mean d'; so
        ``participant`` should be among them.
    settings : AnalysisSettings, optional
        Confidence, and the correction of extreme proportions.

    Returns
    -------
    DataFrame
        The columns `keys`; ``trials``; ``correct``, or ``hits``, ``signals``, ``false_alarms`` and ``noises``
        in tasks with a criterion; ``dprime`` with ``low`` and ``high``, and ``criterion``; ``task``,
        ``rule``, ``dimensions`` and ``correction``.

    Raises
    ------
    StimgenError
        The task is not known, or its answers are not those of the task.
    """
    settings = settings or AnalysisSettings()
    model = table.model
    if model is None:
        raise StimgenError("d' needs to know the task", hint="name it: --task oddity")
    correction = settings.correction or ("log-linear" if model.has_rates else "1/(2N)")
    compute = _compute_from_rates if model.has_rates else _compute_from_correct
    found = compute(table, keys, model, (correction, settings.confidence))
    return found.assign(task=model.task, rule=model.rule, dimensions=model.dimensions, correction=correction)


def _compute_from_correct(
    table: TrialTable, keys: Sequence[str], model: DecisionModel, how: tuple[str, float]
) -> pd.DataFrame:
    found = count_trials(table, keys).drop(columns="missed")
    estimate = estimate_from_correct(model, Counts(found["correct"], found["trials"]), *how)
    return found.assign(**estimate._asdict())


def _compute_from_rates(
    table: TrialTable, keys: Sequence[str], model: DecisionModel, how: tuple[str, float]
) -> pd.DataFrame:
    found = count_trials(table, keys).drop(columns=["missed", "correct"])
    signal = SIGNALS[model.task]
    frame = table.counted
    if len(frame) and not (frame["correct_response"] == signal).any():
        answers = sorted(set(frame["correct_response"]))
        raise StimgenError(
            f"in the task {model.task}, correct_response must be {signal!r} in some trials; there are only: "
            + ", ".join(map(repr, answers)),
            hint=f"say which means it: --value correct_response:{answers[-1] or 'THEIRS'}={signal}; "
            "or name another column: --column correct_response=NAME",
        )
    for column, count, is_signal, event in (
        ("hits", "signals", True, 1.0),
        ("false_alarms", "noises", False, 0.0),
    ):
        part = frame[(frame["correct_response"] == signal) == is_signal]
        counts = part.assign(trials=1, hit=part["correct"] == event)
        if keys:
            sums = counts.groupby(list(keys), sort=False)[["trials", "hit"]].sum().reset_index()
            joined = found[list(keys)].merge(sums, on=list(keys), how="left").fillna({"trials": 0, "hit": 0})
            found[column], found[count] = joined["hit"].astype("int64"), joined["trials"].astype("int64")
        else:
            found[column], found[count] = int(counts["hit"].sum()), len(counts)
    estimate = estimate_from_rates(
        model, Counts(found["hits"], found["signals"]), Counts(found["false_alarms"], found["noises"]), *how
    )
    return found.assign(**estimate._asdict())
