"""Tabulates and plots low-level image measures by condition."""

from __future__ import annotations

from pathlib import Path

from stimgen.drawing.confounds import Rows, draw_confounds
from stimgen.drawing.figure import check_figure_file, save_figure
from stimgen.reading.files import write_file
from stimgen.reading.text import escape_formula
from stimgen.stimulus_set.confounds import compute_confounds
from stimgen.stimulus_set.store import Store

OPTION = "`--plot`"


def tabulate_confounds(folder: Path, table: Path | None = None, plot: Path | None = None) -> Rows:
    """Return the table of a set's conditions; also write it as CSV and draw it, if files are named.

    Raises
    ------
    StimgenError
        The folder contains no set or no finished stimulus, a picture cannot be read, a file cannot be
        written, or a plot is asked for and matplotlib is not installed.
    """
    store = Store.open(folder)
    if plot is not None:
        check_figure_file(plot, OPTION)
    rows = compute_confounds(store)
    if table is not None:
        _write_table(rows, table)
    if plot is not None:
        save_figure(draw_confounds(rows, OPTION), plot, OPTION)
    return rows


def _write_table(rows: Rows, file: Path) -> None:
    import pandas as pd

    cells = [{column: escape_formula(value) for column, value in row.items()} for row in rows]
    write_file(file, pd.DataFrame(cells).to_csv(index=False, lineterminator="\n").encode())
