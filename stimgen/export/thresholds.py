"""Lists thresholds of adaptive tracks, one row per track, and what each trial changed in its track."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stimgen.experiment.design.threshold import TrackChange, TrackThreshold
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.export.columns import TableColumn
from stimgen.export.sessions import JournalSession

POSTERIOR = "of the threshold's posterior by QUEST+ after the trial, in units of the level."
ADAPTIVE_COLUMNS = (
    TableColumn(
        "signal",
        "Whether the correct answer depends on the level; n/a if it does in all trials.",
        levels={"true": "it does", "false": "it does not, and the answer did not move the level"},
    ),
    TableColumn(
        "reversal",
        "Whether the staircase turned at the trial; n/a without a staircase.",
        levels={"true": "the answer turned the staircase", "false": "it did not"},
    ),
    TableColumn("posterior_mean", f"Mean {POSTERIOR}"),
    TableColumn("posterior_sd", f"Standard deviation {POSTERIOR}"),
    TableColumn("posterior_entropy", "Uncertainty about the threshold by QUEST+ after the trial.", "bit"),
)
"""Columns of every trial; they are empty if the trial has no adaptive track."""

THRESHOLD_COLUMNS = (
    TableColumn("track", "Name of the staircase or other adaptive track."),
    TableColumn("dimension", "What the track moved along, such as scaling or duration."),
    TableColumn("threshold", "Threshold of the track, in its unit; n/a if it has none."),
    TableColumn("unit", "Unit of the threshold; n/a if it has none."),
    TableColumn("sd", "Standard deviation of the reversals that were averaged, or of the posterior."),
    TableColumn("reason", "Why there is no threshold; n/a if there is one."),
    TableColumn("method", "How the threshold was computed."),
    TableColumn("target", "What holds at the threshold, such as the proportion correct."),
    TableColumn("trials", "Number of trials of the track."),
    TableColumn("without_signal", "Number of its trials without a signal, which did not move it."),
    TableColumn("counted", "Number of trials that moved the track: with a signal, and with an answer."),
    TableColumn("reversals", "Number of reversals of a staircase."),
    TableColumn("reversals_averaged", "Number of reversals, the last ones, that the threshold averages."),
    TableColumn("reversal_trials", "The trial_index of every reversal, separated by semicolons."),
    TableColumn("reversal_levels", "Level of every reversal, separated by semicolons."),
    *(
        TableColumn(f"posterior_{name}", f"Quantile {name} of the threshold's posterior by QUEST+.")
        for name in ("0.025", "0.16", "0.5", "0.84", "0.975")
    ),
    TableColumn("posterior_entropy", "Uncertainty about the threshold by QUEST+.", "bit"),
    TableColumn("posterior_values", "Possible thresholds of QUEST+, separated by semicolons."),
    TableColumn("posterior_probabilities", "Their probabilities, separated by semicolons."),
    TableColumn("slope", "Posterior mean of the slope by QUEST+."),
    TableColumn("lapse", "Posterior mean of the lapse rate by QUEST+."),
    TableColumn("guess", "Posterior mean of the guess rate by QUEST+, if several were possible."),
    TableColumn("criterion", "Posterior mean of the criterion by QUEST+, if the task has one."),
)


def adaptive_cells(line: RecordedTrial) -> dict[str, Any]:
    """Return the cells of a trial in `ADAPTIVE_COLUMNS`."""
    found = line.adaptive or TrackChange()
    return {
        "signal": line.trial.signal,
        "reversal": found.reversal,
        "posterior_mean": found.mean,
        "posterior_sd": found.sd,
        "posterior_entropy": found.entropy,
    }


def threshold_rows(session: JournalSession) -> list[dict[str, Any]]:
    """Return the rows of a session's thresholds."""
    return [_describe_threshold(found) for found in session.thresholds]


def _describe_threshold(found: TrackThreshold) -> dict[str, Any]:
    row: dict[str, Any] = {
        "track": found.track,
        "dimension": found.level,
        "threshold": found.threshold,
        "unit": found.unit,
        "sd": found.sd,
        "reason": found.reason,
        "method": found.method,
        "target": found.target,
        "trials": found.trials,
        "without_signal": found.without_signal,
        "counted": found.counted,
        **found.estimates,
    }
    if found.posterior is not None:
        return row | {
            **{f"posterior_{name}": value for name, value in found.posterior.quantiles.items()},
            "posterior_entropy": found.posterior.entropy,
            "posterior_values": _join(found.posterior.values),
            "posterior_probabilities": _join(found.posterior.probabilities),
        }
    return row | {
        "reversals": len(found.reversals),
        "reversals_averaged": sum(one.used for one in found.reversals),
        "reversal_trials": _join(one.trial for one in found.reversals),
        "reversal_levels": _join(one.level for one in found.reversals),
    }


def _join(values: Iterable[float]) -> str:
    return ";".join(f"{value:g}" for value in values)
