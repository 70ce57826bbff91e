"""Formats the page of an analysis."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from stimgen.analysis.figures import ResultFigure
from stimgen.analysis.page.counts import count_kinds
from stimgen.analysis.page.methods import list_exclusion_rules, write_methods
from stimgen.analysis.page.tables import MOST_ROWS, format_table
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.report.environment import make_environment, make_security_policy, read_template
from stimgen.stimulus_set.citing.wording import join_words

if TYPE_CHECKING:
    import pandas as pd

LARGEST_SVG = 3 * 2**20
"""Larger drawings are shown as pixels, because browsers take seconds to draw them."""
OPEN_TABLES = ("exclusions", "accuracy", "thresholds", "tracks")
"""Tables that are shown without a click."""


@dataclass(frozen=True)
class AnalysisPage:
    """Holds what the page shows."""

    title: str
    table: TrialTable
    settings: AnalysisSettings
    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, ResultFigure]
    drawings: Mapping[str, Mapping[str, bytes]]
    """Bytes of each figure by format; see `write_formats`."""
    versions: Mapping[str, str]


def format_page(page: AnalysisPage) -> bytes:
    """Return the page as UTF-8 text; whatever comes from data is escaped."""
    environment = make_environment("stimgen.analysis.page")
    style = read_template(make_environment("stimgen.report"), "style.css") + read_template(
        environment, "style.css"
    )
    methods = write_methods(page.table, page.settings, page.tables, page.versions)
    text = environment.get_template("page.html").render(
        style=style,
        policy=make_security_policy("", style),
        title=page.title,
        facts=_list_facts(page),
        notes=page.table.notes,
        is_person=_is_person(page.table),
        observers=join_words(sorted(set(page.table.frame["observer"]))),
        counts=count_kinds(page.table),
        rules=list_exclusion_rules(page.table),
        total=len(page.table.frame),
        figures=[_embed(name, one, page.drawings[name]) for name, one in page.figures.items()],
        tables=[format_table(name, frame) for name, frame in page.tables.items()],
        open_tables=OPEN_TABLES,
        most=MOST_ROWS,
        paragraph=methods.paragraph(),
        references=methods.references(),
        versions=page.versions,
    )
    return text.encode("utf-8")


def _is_person(table: TrialTable) -> bool:
    return bool((table.frame["observer"] == "person").all())


def _list_facts(page: AnalysisPage) -> list[tuple[str, str]]:
    frame, model = page.table.frame, page.table.model
    sources = sum(1 for name in frame["source"].unique() if name)
    sessions = len(frame[["experiment", "participant", "session"]].drop_duplicates())
    found = [
        ("Participants", f"{frame['participant'].nunique():,}"),
        ("Sessions", f"{sessions:,}"),
        ("Trials", f"{len(frame):,}"),
        ("Trials that count", f"{len(page.table.counted):,}"),
        ("Sources", f"{sources:,}" if sources else ""),
        ("Task", model.text if model else ""),
        ("Chance", "" if page.table.chance is None else f"{page.table.chance:.3f}"),
    ]
    return [(name, text) for name, text in found if text]


def _embed(name: str, drawn: ResultFigure, drawings: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the page shows of a figure: a drawing inside the page, which runs and loads nothing."""
    data, kind = drawings["svg"], "svg+xml"
    if len(data) > LARGEST_SVG:
        data, kind = drawings["png"], "png"
    width = round(100 * drawn.figure.get_figwidth())
    return {
        "name": name,
        "title": drawn.title,
        "caption": drawn.caption.replace("\\$", "$"),
        "width": width,
        "data": Markup(f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"),
    }
