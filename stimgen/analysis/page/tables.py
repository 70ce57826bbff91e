"""Prepares tables of results for the page: titles, explanations, and numbers as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 200
ABOUT = {
    "exclusions": (
        "Excluded trials",
        "Who and what does not count, and why. Numbers are sessions and trials, such as 1:21.",
    ),
    "accuracy": (
        "Proportion correct",
        "Trials pooled, with Wilson's interval, and the mean over participants, with an interval for other "
        "participants and sources.",
    ),
    "accuracy_by_participant": ("Proportion correct of each participant", "With Wilson's interval."),
    "accuracy_by_source": (
        "Proportion correct with each source",
        "Trials of all participants, with Wilson's interval.",
    ),
    "source_ranking": (
        "Sources in the order of their difficulty",
        "Means over participants, and the proportion correct in each condition.",
    ),
    "accuracy_by_level": (
        "Proportion correct at each level",
        "The data of the psychometric functions, with Wilson's interval.",
    ),
    "dprime": ("Sensitivity", "d' of each participant, by the task's decision rule."),
    "contrasts": (
        "Differences between conditions",
        "In proportion correct, first minus second; intervals are for one difference each. The data exclude "
        "differences larger than the last column.",
    ),
    "equivalence": (
        "Distance from chance",
        "How far above chance performance can be, by the data: larger distances than that in the column "
        "excludes are excluded.",
    ),
    "mixed_model": (
        "Mixed model",
        "Logits above the guess rate, for a typical participant and a typical source.",
    ),
    "thresholds": ("Psychometric functions", "Thresholds and slopes of participants."),
    "tracks": ("Adaptive tracks", "Thresholds by reversals beside those of a fit to the same trials."),
    "response_times": ("Response times", "In seconds from the onset of the first picture."),
    "trend": ("Practice and fatigue", "Proportion correct in tenths of the sessions."),
    "oddball_asymmetry": (
        "Odd originals and odd syntheses",
        "Difference in proportion correct between them.",
    ),
    "recognisability": ("Recognisability", "How often each picture is named correctly."),
    "confusions": ("Confusions", "What pictures are taken for."),
    "difference_scale": (
        "Perceptual scale",
        "In standard deviations of the noise of a decision, from 0 for the first stimulus.",
    ),
    "streams": ("Sensitivity in streams", "From hits and false alarms over the pictures of streams."),
    "ratings": ("Ratings", "Means over participants, with intervals by Student's t."),
    "similarity": ("Similarity", "How often two items stayed together, when a third was the odd one."),
    "confidence": ("Confidence", "Type-2 ROC of each participant."),
}
"""Title and explanation of every table, by its name."""


@dataclass(frozen=True)
class PageTable:
    """Holds a table as texts."""

    name: str
    title: str
    about: str
    columns: tuple[tuple[str, bool], ...]
    """Name of each column, and whether it has numbers."""
    rows: tuple[tuple[str, ...], ...]
    total: int
    """Number of rows of the whole table."""


def format_table(name: str, frame: pd.DataFrame) -> PageTable:
    """Return the first rows of a table as texts."""
    title, about = ABOUT.get(name, (name.replace("_", " ").capitalize(), ""))
    columns = tuple((str(column), _is_number(frame[column])) for column in frame.columns)
    head = frame.head(MOST_ROWS).astype(object).itertuples(index=False, name=None)
    rows = tuple(
        tuple(format_cell(value, column) for value, (column, _) in zip(row, columns, strict=True))
        for row in head
    )
    return PageTable(name, title, about, columns, rows, len(frame))


def _is_number(values: pd.Series) -> bool:
    return values.dtype.kind in "iuf"


def format_cell(value: Any, column: str = "") -> str:
    r"""Return a value as it stands in a table: three decimals, and a dash where there is nothing.

    Examples
    --------
    >>> [format_cell(one) for one in (0.12345, -2.0, 1234.5, 7, float("nan"), "conv1", True)]
    ['0.123', '\u22122.000', '1234.5', '7', '\u2013', 'conv1', 'yes']
    >>> format_cell(0.00002, "p")
    '< 0.001'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "\u2013"
    if not isinstance(value, float):
        return str(value)
    number = float(value)
    if math.isnan(number):
        return "\u2013"
    if math.isinf(number):
        return "\u221e" if number > 0 else "\u2212\u221e"
    if column in ("p", "fit_p") and number < 0.001:
        return "< 0.001"
    text = f"{number:.3f}" if abs(number) < 100 else f"{number:.5g}"
    return text.replace("-", "\u2212")
