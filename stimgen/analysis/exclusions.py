"""Applies exclusion rules to a table of trials, and lists who and what they exclude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, format_value, sort_values
from stimgen.experiment.journal.exclusions import (
    TrialFacts,
    compute_figures,
    find_participant_exclusions,
    find_trial_exclusion,
)
from stimgen.experiment.schema.exclusions import ExclusionRules

if TYPE_CHECKING:
    import pandas as pd

WHOLE = "participant: "
"""Beginning of the reason of trials whose participant does not count."""


def apply_exclusions(table: TrialTable, rules: Mapping[str, ExclusionRules]) -> TrialTable:
    """Return the table with the reasons why trials and participants do not count.

    Parameters
    ----------
    table : TrialTable
        All trials. Their response times, and what interrupted them, are as far as the data have them.
    rules : mapping of str to ExclusionRules
        The rules of each experiment; trials of other experiments keep the reasons that their data have.

    Returns
    -------
    TrialTable
        With the column ``excluded``; the reason of a participant's trials begins with ``participant:``.
    """
    frame = table.frame
    reasons = frame["excluded"].to_numpy(dtype=object, copy=True)
    groups: dict[Any, Any] = frame.groupby(["experiment", "participant"]).indices
    for (experiment, participant), places in groups.items():
        if experiment not in rules:
            continue
        own = rules[experiment]
        facts = [_find_facts(row) for row in frame.iloc[places].to_dict("records")]
        found = [find_trial_exclusion(own.trials, one) for one in facts]
        missed = (participant, experiment) in table.criterion_missed
        figures = compute_figures(own, facts, criterion_missed=missed)
        whole = "; ".join(find_participant_exclusions(own, figures))
        for place, reason, fact in zip(places, found, facts, strict=True):
            reasons[place] = reason or (WHOLE + whole if whole and fact.is_main else "")
    return replace(table, frame=frame.assign(excluded=reasons))


def _find_facts(row: Mapping[Any, Any]) -> TrialFacts:
    first, last = (_find_number(row[name]) for name in ("response_time", "response_time_last"))
    return TrialFacts(
        practice=bool(row["practice"]),
        catch=row["catch"] != "",
        answered=not row["missed"],
        correct=None if row["correct"] != row["correct"] else bool(row["correct"]),
        seconds=first,
        seconds_from_last=first if last is None else last,
        interrupted=int(_find_number(row["interrupted"]) or 0),
        dropped=int(_find_number(row["dropped"]) or 0),
    )


def _find_number(value: float) -> float | None:
    return None if value != value else float(value)


def compute_exclusions(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return who and what is excluded, and the trials that this takes.

    Parameters
    ----------
    table : TrialTable
        The trials, with their reasons.
    settings : AnalysisSettings
        Not used; all analyses take it.

    Returns
    -------
    DataFrame or None
        One row for each participant and reason: ``experiment``, ``participant``, ``whole`` (whether it
        excludes the participant), ``reason``, the number of ``trials``, and ``numbers``: sessions and trials
        as ``session:trial``. None where nothing is excluded.
    """
    import pandas as pd

    del settings
    frame = table.frame[table.frame["excluded"] != ""]
    if not len(frame):
        return None
    rows = []
    for (experiment, participant, reason), part in frame.groupby(["experiment", "participant", "excluded"]):
        numbers = zip(part["session"], part["trial"], strict=True)
        rows.append(
            {
                "experiment": experiment,
                "participant": participant,
                "whole": str(reason).startswith(WHOLE),
                "reason": str(reason).removeprefix(WHOLE),
                "trials": len(part),
                "numbers": " ".join(f"{session}:{format_value(trial)}" for session, trial in numbers),
            }
        )
    found = pd.DataFrame(rows)
    order = {name: i for i, name in enumerate(sort_values(found["participant"]))}
    return found.sort_values(
        ["experiment", "participant", "whole", "reason"],
        key=lambda column: column.map(order) if column.name == "participant" else column,
    ).reset_index(drop=True)
