"""Formats what matching found, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stimgen.cli.text import format_columns
from stimgen.stimulus_set.citing.wording import format_count

if TYPE_CHECKING:
    from stimgen.images.matching.report import MatchingRecord, MatchingReport

PAGE = "matching.html"
MEASURES = {
    "mean": "mean",
    "deviation": "standard deviation",
    "histogram_deviation": "histogram, distance from target",
    "spectrum_deviation": "spectrum, deviation from target",
}


def format_matching(report: MatchingReport, folder: Path) -> str:
    """Return the smallest and the largest measure of all pictures before and after."""
    rows = [["", "before", "after"]]
    for key, name in MEASURES.items():
        if getattr(report.pictures[0].before, key) is not None:
            rows.append([name, *(_format_range(report.pictures, side, key) for side in ("before", "after"))])
    count = len(report.pictures)
    lines = [f"{format_count(count, 'picture')} matched: {folder}", *format_columns(rows, "  ")]
    lines += _describe_losses(report.pictures)
    tolerance = report.settings.tolerance
    missed = _count(report.pictures, lambda one: (one.after.spectrum_deviation or 0.0) > tolerance)
    if missed:
        lines.append(
            f"spectra that deviate by more than the tolerance of {tolerance:g} after rounding to "
            f"{report.bits} bits: {missed} of {count}"
        )
    if (folder / PAGE).is_file():
        lines.append(f"page: {folder / PAGE}")
    return "\n".join(lines)


def _describe_losses(pictures: Sequence[MatchingRecord]) -> list[str]:
    lines = []
    if _count(pictures, lambda one: one.clipped > 0.0):
        lines.append(f"clipped: up to {100 * max(one.clipped for one in pictures):.2g} % of a picture")
    if _count(pictures, lambda one: one.desaturated > 0.0):
        most = 100 * max(one.desaturated for one in pictures)
        lines.append(f"colours made less saturated to keep their luminance: up to {most:.2g} % of a picture")
    return lines


def _count(pictures: Sequence[MatchingRecord], holds: Callable[[MatchingRecord], bool]) -> int:
    return sum(map(holds, pictures))


def _format_range(pictures: Sequence[MatchingRecord], side: str, key: str) -> str:
    values = [getattr(getattr(one, side), key) for one in pictures]
    return f"{min(values):.3g} to {max(values):.3g}"
