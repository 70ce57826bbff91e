"""What conditions are like: a panel a measure, a row a condition."""

from __future__ import annotations

from typing import Any

from stimgen.drawing.figure import make_figure
from stimgen.images.measures.appearance import Appearance
from stimgen.reading.errors import make_printable

LABELS = {
    "luminance": "mean luminance (white: 1)",
    "contrast": "RMS contrast",
    "lightness": "L*",
    "red_green": "a* (green to red)",
    "yellow_blue": "b* (blue to yellow)",
    "slope": "spectral slope",
    "edges": "edge energy",
}
"""What the axes of the figure say of every measure."""

LONGEST = 64  # letters of a name; protocols allow no more
Rows = list[dict[str, Any]]


def confounds_figure(rows: Rows, option: str) -> Any:
    """Return one panel a measure: means and standard deviations; the originals' as a band behind them.

    Parameters
    ----------
    rows : list of dict
        From `stimgen.stimulus_set.confounds.confounds`.
    option : str
        What it is drawn for, as the user wrote it.

    Raises
    ------
    StimgenError
        matplotlib is not installed.
    """
    measures = Appearance._fields
    figure = make_figure(option, (2.1 * len(measures), 1.6 + 0.35 * len(rows)))
    panels = figure.subplots(1, len(measures), sharey=True)
    for axes, measure in zip(panels, measures, strict=True):
        _draw_panel(axes, rows, measure)
    panels[0].set_yticks(
        range(len(rows)), [f"{_format_name(row['condition'])} (n = {row['n']})" for row in rows]
    )
    panels[0].set_ylim(len(rows) - 0.5, -0.5)  # the first row on top
    figure.supxlabel("means and standard deviations over pictures; grey: originals", fontsize="small")
    return figure


def _draw_panel(axes: Any, rows: Rows, measure: str) -> None:
    means = [_or_nan(row[f"{measure}_mean"]) for row in rows]
    deviations = [row[f"{measure}_sd"] or 0.0 for row in rows]
    axes.axvspan(means[0] - deviations[0], means[0] + deviations[0], color="0.9", linewidth=0)
    axes.axvline(means[0], color="0.7", linewidth=1)
    axes.errorbar(means, range(len(rows)), xerr=deviations, fmt="o", color="black", markersize=4, linewidth=1)
    axes.set_xlabel(LABELS[measure])
    axes.locator_params(axis="x", nbins=4)
    axes.spines[["top", "right"]].set_visible(False)


def _format_name(name: str) -> str:
    """Return a name that a stranger may have given: short, of letters that fonts have, and no formula."""
    plain = name[:LONGEST].encode("ascii", "backslashreplace").decode("ascii")
    return make_printable(plain).replace("\n", " ").replace("$", r"\$")


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
