"""Defines the rules that warn of stimuli; docs/report.md explains them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stimgen.stimulus_set.record import RecordContent

CLIPPED = 0.05
AMPLITUDE_LOST = 0.01
COPIED = 0.95
OUTLYING = 3.5
"""Robust standard deviations (Iglewicz & Hoaglin 1993, *How to detect and handle outliers*)."""
FEWEST = 5
"""Number of scores that a condition needs to have outliers."""
OUTLIER = "outlier"


class WarningRule(NamedTuple):
    """Warns of stimuli for which `holds` is true."""

    title: str
    why: str
    holds: Callable[[RecordContent], bool]


RULES = {
    "not-converged": WarningRule(
        "Not converged",
        "The loss was still falling when the allowed evaluations were used up.",
        lambda content: content.quality is not None and content.quality.converged is False,
    ),
    "clipped": WarningRule(
        "Clipped",
        f"In source or stimulus, at least {CLIPPED:.0%} of the values were outside the range of the screen.",
        lambda content: max(content.clipped.saved, content.clipped.source) >= CLIPPED,
    ),
    "amplitude": WarningRule(
        "Amplitudes lost",
        f"The method should keep amplitudes, and at least {AMPLITUDE_LOST:.0%} of them are lost in the file, "
        "because values did not fit between black and white. Lower the contrast of the source.",
        lambda content: 1 - _get_amplitude_kept(content) >= AMPLITUDE_LOST,
    ),
    "copied": WarningRule(
        "Close to its source",
        f"The correlation of a crop with the source is at least {COPIED}. This is normal for controls that "
        "keep the picture. A texform may show what it was made from; in a texture, it may be a gradient.",
        lambda content: content.quality is not None and (content.quality.largest_copy or 0.0) >= COPIED,
    ),
    "not-metamer": WarningRule(
        "Not a metamer",
        "At a layer that it should match, at least one per cent of pairs of unrelated pictures are as near "
        "to each other as it is to its source.",
        lambda content: bool(
            content.quality and content.quality.metamer and not content.quality.metamer.better
        ),
    ),
    OUTLIER: WarningRule(
        "Outlying score",
        "Its score (the judge\u2019s if there is one, otherwise the final loss) is more than "
        f"{OUTLYING} robust standard deviations worse than the median of its condition.",
        lambda _: False,  # needs the others of its condition: `find_outliers`
    ),
}


def _get_amplitude_kept(content: RecordContent) -> float:
    kept = content.quality.amplitude_kept if content.quality else None
    return 1.0 if kept is None else kept


def compute_score(content: RecordContent) -> float | None:
    """Return a stimulus' distance from its target on a scale for outliers, or None if it was not measured."""
    judge = content.quality.judge if content.quality else None
    if judge is not None and judge.score is not None:
        return judge.score
    losses = content.losses
    loss = (losses.saved or losses.end).total if losses else 0.0
    # Losses of one condition differ by factors.
    return float(np.log(loss)) if loss > 0 else None


def find_outliers(scores: Mapping[str, Sequence[tuple[int, float]]]) -> set[int]:
    """Return the keys of scores that are far above the others of their condition.

    Examples
    --------
    >>> find_outliers({"a": list(enumerate([1.0, 1.1, 0.9, 1.0, 1.2, 9.0]))})
    {5}
    """
    found = set()
    for keyed in scores.values():
        values = np.array([value for _, value in keyed])
        if len(values) < FEWEST:
            continue
        distances = values - np.median(values)
        deviation = 1.4826 * np.median(np.abs(distances))
        worse = distances > OUTLYING * deviation if deviation > 0 else np.zeros(len(values), bool)
        found |= {key for (key, _), outlying in zip(keyed, worse, strict=True) if outlying}
    return found
