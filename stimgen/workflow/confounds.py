"""What a reviewer asks of a set's conditions: a table, and its figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.images.figure import new_figure, require_figure, save_figure
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.confounds import MEASURES, confounds
from stimgen.stimulus_set.store import Store

OPTION = "`--plot`"
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

Rows = list[dict[str, Any]]


def confounds_of(folder: Path, table: Path | None = None, plot: Path | None = None) -> Rows:
    """Return the table of a set's conditions, and write and draw it where that is asked for.

    Parameters
    ----------
    folder : Path
        The set's.
    table : Path, optional
        A CSV file to write.
    plot : Path, optional
        A picture to draw, in a format that its ending tells.

    Raises
    ------
    StimgenError
        There is no set in the folder, nothing is finished, a picture cannot be read, a file not written; a
        plot is wanted without matplotlib.
    """
    store = Store.open(folder)
    if plot is not None:
        require_figure(plot, OPTION)
    rows = confounds(store)
    if table is not None:
        _write(rows, table)
    if plot is not None:
        _draw(rows, plot)
    return rows


def _write(rows: Rows, file: Path) -> None:
    import pandas as pd

    try:
        pd.DataFrame(rows).to_csv(file, index=False, lineterminator="\n")
    except OSError as error:
        raise StimgenError(
            f"the table cannot be written: {error.strerror or 'there is no such folder'}", where=file
        ) from None


def _draw(rows: Rows, file: Path) -> None:
    """Draw one panel a measure: means and standard deviations; the originals' as a band behind them."""
    figure = new_figure(OPTION, (2.1 * len(MEASURES), 1.6 + 0.35 * len(rows)))
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    for axes, measure in zip(panels, MEASURES, strict=True):
        _draw_panel(axes, rows, measure)
    panels[0].set_yticks(range(len(rows)), [f"{row['condition']} (n = {row['n']})" for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)  # the first row on top
    figure.supxlabel("means and standard deviations over pictures; grey: originals", fontsize="small")
    save_figure(figure, file, OPTION)


def _draw_panel(axes: Any, rows: Rows, measure: str) -> None:
    means = [_number(row[f"{measure}_mean"]) for row in rows]
    deviations = [row[f"{measure}_sd"] or 0.0 for row in rows]
    axes.axvspan(means[0] - deviations[0], means[0] + deviations[0], color="0.9", linewidth=0)
    axes.axvline(means[0], color="0.7", linewidth=1)
    axes.errorbar(means, range(len(rows)), xerr=deviations, fmt="o", color="black", markersize=4, linewidth=1)
    axes.set_xlabel(LABELS[measure])
    axes.locator_params(axis="x", nbins=4)
    axes.spines[["top", "right"]].set_visible(False)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
