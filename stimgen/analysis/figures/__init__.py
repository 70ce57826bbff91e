"""Draws figures of results: each function takes tables and returns a matplotlib figure with its caption."""

from __future__ import annotations

from collections.abc import Iterator

from stimgen.analysis.figures.accuracy import draw_accuracy
from stimgen.analysis.figures.confidence import draw_confidence
from stimgen.analysis.figures.confusions import draw_confusions
from stimgen.analysis.figures.difference_scale import draw_difference_scale
from stimgen.analysis.figures.dprime import draw_dprime
from stimgen.analysis.figures.psychometric import draw_psychometric_functions
from stimgen.analysis.figures.ratings import draw_ratings
from stimgen.analysis.figures.response_times import draw_response_times
from stimgen.analysis.figures.similarity import draw_similarity
from stimgen.analysis.figures.source_map import draw_source_map
from stimgen.analysis.figures.source_ranking import draw_source_ranking
from stimgen.analysis.figures.sources import draw_sources
from stimgen.analysis.figures.streams import draw_streams
from stimgen.analysis.figures.style import FORMATS, write_figure, write_formats
from stimgen.analysis.figures.subject import DrawFunction, FigureSubject, MapPictures, ResultFigure, Tables
from stimgen.analysis.figures.trend import draw_trend

__all__ = [
    "FIGURES",
    "FORMATS",
    "FigureSubject",
    "MapPictures",
    "ResultFigure",
    "draw_figures",
    "write_figure",
    "write_formats",
]

FIGURES: dict[str, DrawFunction] = {
    "accuracy": draw_accuracy,
    "sources": draw_sources,
    "source_map": draw_source_map,
    "source_ranking": draw_source_ranking,
    "psychometric": draw_psychometric_functions,
    "difference_scale": draw_difference_scale,
    "dprime": draw_dprime,
    "streams": draw_streams,
    "ratings": draw_ratings,
    "similarity": draw_similarity,
    "response_times": draw_response_times,
    "trend": draw_trend,
    "confusions": draw_confusions,
    "confidence": draw_confidence,
}
"""Every figure by its name, in the order of a report."""


def draw_figures(tables: Tables, subject: FigureSubject) -> Iterator[tuple[str, ResultFigure]]:
    """Yield name and figure of everything that the tables allow.

    Raises
    ------
    StimgenError
        matplotlib is not installed.
    """
    for name, draw in FIGURES.items():
        found = draw(tables, subject)
        if found is not None:
            yield name, found
