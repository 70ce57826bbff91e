"""Analyzes answers, and writes tables, figures and the page of the results."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimgen.analysis.figures import FigureSubject, MapPictures, ResultFigure, draw_figures, write_formats
from stimgen.analysis.page import AnalysisPage, format_page
from stimgen.analysis.pictures import find_pictures
from stimgen.analysis.read import read_trials
from stimgen.analysis.results import compute_results
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.export.derived import check_holds_only_tables
from stimgen.reading.atomic import replace_folder, write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.text import escape_formula
from stimgen.stimulus_set.citing.wording import join_words

if TYPE_CHECKING:
    import pandas as pd

OURS = re.compile(r"\w+\.csv|figures/[\w-]+\.(png|svg|pdf)|report\.html")
"""Files that an analysis writes, relative to its folder."""
PACKAGES = {
    "stimgen": "stimgen",
    "NumPy": "numpy",
    "SciPy": "scipy",
    "pandas": "pandas",
    "matplotlib": "matplotlib",
}


@dataclass(frozen=True)
class AnalysisResults:
    """Holds the tables of an analysis, and where they were written."""

    folder: Path
    table: TrialTable
    tables: dict[str, pd.DataFrame]
    """Tables of results by name."""
    figures: dict[str, ResultFigure]
    """Figures by name; none without matplotlib."""

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as JSON-ready lists of rows, with n/a as null."""
        return {
            "folder": str(self.folder),
            "notes": list(self.table.notes),
            "figures": {name: found.caption for name, found in self.figures.items()},
            "tables": {name: _to_rows(frame) for name, frame in self.tables.items()},
        }


def analyze(
    paths: Sequence[Path],
    settings: AnalysisSettings | None = None,
    target: Path | None = None,
    stimuli: Sequence[Path] = (),
) -> AnalysisResults:
    """Read trials, compute all results that they allow, and write them as tables, figures and one web page.

    Parameters
    ----------
    paths : sequence of Path
        Folders of data, BIDS datasets, journals or CSV files.
    settings : AnalysisSettings, optional
        Columns, task and what else the data do not say.
    target : Path, optional
        The folder of the results, which replaces an earlier one. [default: analysis/NAME]
    stimuli : sequence of Path
        Stimulus sets whose pictures stand in figures. [default: those that journals name, if they are found]

    Raises
    ------
    StimgenError
        Data are missing, damaged or contradict each other, or the folder holds something else.
    """
    settings = settings or AnalysisSettings()
    name = paths[0].resolve().stem if paths else "data"
    folder = target or Path("analysis") / name
    check_holds_only_tables(folder, OURS)
    table = read_trials(paths, settings)
    tables = dict(compute_results(table, settings))
    pictures = find_pictures(table, paths, stimuli)
    table, figures = _draw(table, tables, settings, pictures)
    drawings = {name: write_formats(one.figure) for name, one in figures.items()}
    page = AnalysisPage(
        _find_title(table, name), table, settings, tables, figures, drawings, _list_versions()
    )
    with replace_folder(folder) as fresh:
        for file, data in _format_files(page):
            (fresh / file).parent.mkdir(exist_ok=True)
            with write_atomically(fresh / file) as stream:
                stream.write(data)
    return AnalysisResults(folder, table, tables, figures)


def _find_title(table: TrialTable, name: str) -> str:
    """Return the title of the page: the experiments, or the data's name where they name none."""
    experiments = [one for one in dict.fromkeys(table.frame["experiment"]) if one]
    return f"Analysis of {join_words(experiments[:3]) or name}"


def _draw(
    table: TrialTable,
    tables: dict[str, pd.DataFrame],
    settings: AnalysisSettings,
    pictures: MapPictures,
) -> tuple[TrialTable, dict[str, ResultFigure]]:
    """Return the figures; without matplotlib none, and a note that says so."""
    subject = FigureSubject(
        factors=table.factors,
        chance=table.chance,
        model=table.model,
        level=settings.level or "level",
        confidence=settings.confidence,
        is_person=bool((table.frame["observer"] == "person").all()),
        pictures=pictures,
    )
    try:
        return table, dict(draw_figures(tables, subject))
    except StimgenError as error:
        return table.add_notes(f"There are no figures: {error}"), {}


def _format_files(page: AnalysisPage) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of every file of the results."""
    for name, frame in {"trials": page.table.frame, **page.tables}.items():
        yield f"{name}.csv", _format_csv(frame).encode("utf-8")
    for name, drawings in page.drawings.items():
        for file_format, data in drawings.items():
            yield f"figures/{name}.{file_format}", data
    yield "report.html", format_page(page)


def _list_versions() -> dict[str, str]:
    """Return the versions of the software that computes results."""
    found = {"stimgen": "", "Python": platform.python_version()}
    for name, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            found[name] = version(package)
    return found


def _format_csv(frame: pd.DataFrame) -> str:
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == object:
            safe[name] = [one and escape_formula(one) for one in safe[name].tolist()]
    return safe.to_csv(index=False, float_format="%.6g", na_rep="n/a", lineterminator="\n")


def _to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if _is_nothing(value) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def _is_nothing(value: object) -> bool:
    return isinstance(value, float) and not (float("-inf") < value < float("inf"))
