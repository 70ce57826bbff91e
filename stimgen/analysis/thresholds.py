"""Computes thresholds: of psychometric functions, and of adaptive tracks by reversals and by fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.cells import EVERYBODY
from stimgen.analysis.psychometric import PsychometricFit, fit_psychometric
from stimgen.analysis.psychometric_curve import Curve, LevelCounts
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, sort_values
from stimgen.experiment.design.schedules.reversals import average_reversals, compute_target, trace_moves
from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.reading.errors import StimgenError

if TYPE_CHECKING:
    import pandas as pd

WIDE_RANGE = 4.0
"""Levels whose largest is this many times the smallest are taken by their logarithm."""


def compute_thresholds(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the psychometric function of each participant, and of all, in each combination of factors.

    Adaptive and constant trials of a participant enter one fit.

    Parameters
    ----------
    table : TrialTable
        The trials; their column ``level`` has the numbers of an ordered variable.
    settings : AnalysisSettings
        Function and confidence; see `fit_psychometric`.

    Returns
    -------
    DataFrame or None
        ``participant`` (``all``: trials pooled, whose curve is flatter than anybody's) and the other factors;
        ``trials`` and ``levels``; ``threshold`` with ``threshold_low`` and ``threshold_high`` in the unit of
        the level; ``performance`` there: the proportion correct of the fit; ``slope`` with its limits;
        ``lapse``; ``deviance`` and ``fit_p``; ``function``, and ``scale``: linear or logarithmic. None
        without levels.

    Raises
    ------
    StimgenError
        The critical scaling needs a task whose d' comes from proportions correct.
    """
    import pandas as pd

    frame = table.counted
    frame = frame[frame["level"].notna()]
    if not len(frame):
        return None
    curve = choose_curve(table, settings)
    keys = list_other_factors(table)
    rows = []
    for labels, part in _split_cells(frame, keys, table):
        counts = count_levels(part)
        fit = fit_psychometric(counts, curve, settings.confidence, settings.seed)
        rows.append(
            {**labels, "trials": len(part), "levels": len(counts.levels), **_describe_fit(fit, curve)}
        )
    return pd.DataFrame(rows)


def choose_curve(table: TrialTable, settings: AnalysisSettings) -> Curve:
    """Return the function that is fitted to a table's trials."""
    levels = table.frame["level"].dropna()
    is_wide = bool((levels > 0).all() and levels.max() >= WIDE_RANGE * levels.min())
    model = table.model
    if settings.function == "critical_scaling" and (model is None or model.has_rates):
        raise StimgenError(
            "the critical scaling needs a task whose d' comes from proportions correct",
            hint="name the task, such as --task abx",
        )
    if settings.level_scale == "logarithmic" and not (levels > 0).all():
        raise StimgenError(
            f"the level {levels.min():g} has no logarithm", hint="say --level-scale linear, or leave it out"
        )
    is_log = is_wide if settings.level_scale is None else settings.level_scale == "logarithmic"
    logarithmic = is_log and settings.function in ("logistic", "normal")
    return Curve(settings.function, table.chance or 0.0, logarithmic, model)


def list_other_factors(table: TrialTable) -> list[str]:
    """Return the factors that do not determine the level."""
    frame = table.frame[table.frame["level"].notna()]
    return [
        name
        for name in table.factors
        if frame[name].nunique() > 1 and int((frame.groupby(name)["level"].nunique() > 1).sum()) > 0
    ]


def count_levels(frame: pd.DataFrame) -> LevelCounts:
    """Return correct trials and all trials of each level, in rising order."""
    sums = frame.groupby("level")["correct"].agg(["sum", "count"])
    return LevelCounts(*(np.asarray(one, dtype=float) for one in (sums.index, sums["sum"], sums["count"])))


def _split_cells(
    frame: pd.DataFrame, keys: Sequence[str], table: TrialTable
) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Yield the trials of all participants, and then of each, in each combination of the factors."""
    orders = dict(table.orders)
    people = sort_values(frame["participant"])
    for person in [*([EVERYBODY] if len(people) > 1 else []), *people]:
        own = frame if person == EVERYBODY else frame[frame["participant"] == person]
        if not keys:
            yield {"participant": person}, own
            continue
        parts = {tuple(map(str, values)): part for values, part in own.groupby(list(keys), sort=False)}
        order = [sort_values(own[name], orders.get(name, ())) for name in keys]
        for values in sorted(parts, key=lambda v: [o.index(one) for o, one in zip(order, v, strict=True)]):
            yield {"participant": person, **dict(zip(keys, values, strict=True))}, parts[values]


def _describe_fit(fit: PsychometricFit | None, curve: Curve) -> dict[str, Any]:
    common = {"function": curve.function, "scale": "logarithmic" if curve.is_log else "linear"}
    if fit is None:
        return common
    found: dict[str, Any] = {}
    for name in ("threshold", "slope"):
        value, low, high = asdict(getattr(fit, name)).values()
        found |= {name: value, f"{name}_low": low, f"{name}_high": high}
    performance = float(fit.predict(np.array(fit.threshold.value)))
    about = {"lapse": fit.lapse, "deviance": fit.deviance, "fit_p": fit.fit_p}
    return {**found, "performance": performance, **about, **common}


def compute_tracks(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    """Return the thresholds of adaptive tracks by their schedule, beside those of psychometric functions.

    A session's own threshold is taken where it recorded one: the mean of reversals, or QUEST+'s posterior.
    Otherwise reversals are averaged as Levitt (1971) does, see `average_reversals`. Both columns agree only
    where they mean the same performance: ``fit_at_threshold`` is the fitted proportion correct at the
    schedule's threshold, to compare with ``target``.

    Parameters
    ----------
    table : TrialTable
        The trials; those of tracks have a name in the column ``track`` and a number in ``level``.
    settings : AnalysisSettings
        Function and confidence of the fit.

    Returns
    -------
    DataFrame or None
        ``participant``, ``session`` and ``track``; ``trials``; ``reversals``; ``threshold`` with its ``sd``,
        or the ``reason`` why there is none; ``method`` and ``target``; ``fit_threshold`` with ``fit_low`` and
        ``fit_high`` of the track's own trials; ``fit_at_threshold``. None without adaptive tracks.
    """
    import pandas as pd

    frame = table.eligible
    frame = frame[(frame["track"] != "") & frame["level"].notna()]
    if not len(frame):
        return None
    curve = choose_curve(table, settings)
    rows = []
    known = dict(table.thresholds)
    keys = ["experiment", "participant", "session", "track"]
    for values, part in frame.groupby(keys, sort=True):
        labels = dict(zip(keys[1:], values[1:], strict=True))
        own = part.sort_values("trial", kind="stable")
        answered = own[own["correct"].notna()]
        fit = fit_psychometric(count_levels(answered), curve, settings.confidence, settings.seed)
        recorded = known.get((str(values[0]), str(values[1]), str(values[2]), str(values[3])))
        own_threshold = _average_track(own, table) if recorded is None else _repeat(recorded)
        rows.append({**labels, "trials": len(own), **own_threshold, **_compare_fit(fit)})
        threshold = rows[-1]["threshold"]
        if fit is not None and threshold is not None:
            rows[-1]["fit_at_threshold"] = float(fit.predict(np.array(threshold)))
    return pd.DataFrame(rows)


def _repeat(recorded: TrackThreshold) -> dict[str, Any]:
    return {
        "reversals": len(recorded.reversals),
        "threshold": recorded.threshold,
        "sd": recorded.sd if recorded.posterior is None else recorded.posterior.sd,
        "reason": recorded.reason or "",
        "method": recorded.method,
        "target": recorded.target,
    }


def _average_track(own: pd.DataFrame, table: TrialTable) -> dict[str, Any]:
    levels = own["level"].tolist()
    scale = sorted(set(table.frame.loc[table.frame["track"] != "", "level"].dropna()))
    steps = np.sign(np.diff(levels))
    after_correct = steps[own["correct"].to_numpy()[:-1] == 1]
    harder = "lower" if after_correct.sum() <= 0 else "higher"
    if table.staircase is None:
        # The table knows no rule: a change of the level is a move.
        moves = [int(step) * (-1 if harder == "lower" else 1) for step in steps] + [0]
        target = ""
    else:
        answers = [None if one != one else bool(one) for one in own["correct"]]
        moves = trace_moves(answers, *table.staircase)
        target = f"{compute_target(*table.staircase):.3f} correct"
    found = average_reversals(levels, moves, scale, harder)
    return {
        "reversals": len(found.reversals),
        "threshold": found.threshold,
        "sd": found.sd,
        "reason": found.reason or "",
        "method": f"{'geometric ' if found.geometric else ''}mean of reversals",
        "target": target,
    }


def _compare_fit(fit: PsychometricFit | None) -> dict[str, Any]:
    if fit is None:
        return {"fit_threshold": None, "fit_low": None, "fit_high": None, "fit_at_threshold": None}
    one = fit.threshold
    return {
        "fit_threshold": one.value,
        "fit_low": one.low,
        "fit_high": one.high,
        "fit_at_threshold": None,
    }
