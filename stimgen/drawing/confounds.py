"""Draws the measures of conditions: one panel for each measure, one row for each condition."""

from __future__ import annotations

from typing import Any

from stimgen.drawing.figure import make_figure
from stimgen.images.measures.appearance import LABELS
from stimgen.reading.errors import make_printable

LONGEST = 64  # letters of a name; protocols do not allow more
Rows = list[dict[str, Any]]


def draw_confounds(rows: Rows, option: str) -> Any:
    """Return a figure of means and standard deviations, with those of the originals as a band behind them.

    The rows are those of `compute_confounds`; `option` is named in the error if matplotlib is not installed.
    """
    figure = make_figure(option, (2.1 * len(LABELS), 1.6 + 0.35 * len(rows)))
    panels = figure.subplots(1, len(LABELS), sharey=True)
    for axes, measure in zip(panels, LABELS, strict=True):
        _draw_panel(axes, rows, measure)
    names = [f"{_format_name(row['condition'])} (n = {row['n']})" for row in rows]
    panels[0].set_yticks(range(len(rows)), names)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)  # the first row on top
    figure.supxlabel("means and standard deviations over pictures; grey: originals", fontsize="small")
    return figure


def _draw_panel(axes: Any, rows: Rows, measure: str) -> None:
    found = [row[f"{measure}_mean"] for row in rows]
    means = [float("nan") if mean is None else mean for mean in found]
    deviations = [row[f"{measure}_sd"] or 0.0 for row in rows]
    axes.axvspan(means[0] - deviations[0], means[0] + deviations[0], color="0.9", linewidth=0)
    axes.axvline(means[0], color="0.7", linewidth=1)
    axes.errorbar(means, range(len(rows)), xerr=deviations, fmt="o", color="black", markersize=4, linewidth=1)
    name, note = LABELS[measure]
    axes.set_xlabel(f"{name} ({note})" if note else name)
    axes.locator_params(axis="x", nbins=4)
    axes.spines[["top", "right"]].set_visible(False)


def _format_name(name: str) -> str:
    """Make a name from a stranger safe: short, with letters that fonts have, and without formulas."""
    plain = name[:LONGEST].encode("ascii", "backslashreplace").decode("ascii")
    return make_printable(plain).replace("\n", " ").replace("$", r"\$")
