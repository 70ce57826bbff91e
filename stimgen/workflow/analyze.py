"""Analyzes answers, and writes tables of results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimgen.analysis.read import read_trials
from stimgen.analysis.results import compute_results
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.export.derived import check_holds_only_tables
from stimgen.reading.atomic import replace_folder, write_atomically
from stimgen.reading.text import escape_formula

if TYPE_CHECKING:
    import pandas as pd

OURS = re.compile(r"\w+\.csv|figures/[\w-]+\.(png|svg|pdf)|report\.html")
"""Files that an analysis writes, relative to its folder."""


@dataclass(frozen=True)
class AnalysisResults:
    """Holds the tables of an analysis, and where they were written."""

    folder: Path
    table: TrialTable
    tables: dict[str, pd.DataFrame]
    """Tables of results by name."""

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as JSON-ready lists of rows, with n/a as null."""
        return {
            "folder": str(self.folder),
            "notes": list(self.table.notes),
            "tables": {name: _to_rows(frame) for name, frame in self.tables.items()},
        }


def analyze(
    paths: Sequence[Path], settings: AnalysisSettings | None = None, target: Path | None = None
) -> AnalysisResults:
    """Read trials, compute all results that they allow, and write them as CSV files.

    Parameters
    ----------
    paths : sequence of Path
        Folders of data, BIDS datasets, journals or CSV files.
    settings : AnalysisSettings, optional
        Columns, task and what else the data do not say.
    target : Path, optional
        The folder of the results, which replaces an earlier one. [default: analysis/NAME]

    Raises
    ------
    StimgenError
        Data are missing, damaged or contradict each other, or the folder holds something else.
    """
    settings = settings or AnalysisSettings()
    folder = target or Path("analysis") / (paths[0].resolve().stem if paths else "data")
    check_holds_only_tables(folder, OURS)
    table = read_trials(paths, settings)
    tables = dict(compute_results(table, settings))
    with replace_folder(folder) as fresh:
        for name, frame in {"trials": table.frame, **tables}.items():
            with write_atomically(fresh / f"{name}.csv") as stream:
                stream.write(_format_csv(frame).encode("utf-8"))
    return AnalysisResults(folder, table, tables)


def _format_csv(frame: pd.DataFrame) -> str:
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == object:
            safe[name] = safe[name].map(escape_formula)
    return safe.to_csv(index=False, float_format="%.6g", na_rep="n/a", lineterminator="\n")


def _to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if _is_nothing(value) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def _is_nothing(value: object) -> bool:
    return isinstance(value, float) and not (float("-inf") < value < float("inf"))
