"""Collects what the page of matched pictures shows, and writes it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from stimgen.drawing.matching import CurvePair, draw_deviations, draw_histograms, draw_spectra
from stimgen.images.matching import PAPERS
from stimgen.images.matching.report import MatchingReport
from stimgen.images.matching.run import MatchingResult
from stimgen.reading.extras import import_optional
from stimgen.reading.papers import resolve_papers
from stimgen.report.matching import MOST_PICTURES, MatchingPage, draw_pair, format_matching_page
from stimgen.stimulus_set.citing.references import References

OPTION = "the page of matched pictures"
FIGURES = "figures"


class PageCollector:
    """Collects curves and small pictures while pictures are matched."""

    def __init__(self) -> None:
        self._curves: list[CurvePair] = []
        self._pairs: dict[str, bytes] = {}

    def add(self, result: MatchingResult) -> None:
        """Keep what is drawn of a picture."""
        self._curves.append(CurvePair(*result.curves()))
        if len(self._pairs) < MOST_PICTURES:
            self._pairs[result.name] = draw_pair(result.before.pixels, result.after.pixels)

    def write(self, folder: Path, name: str, title: str, report: MatchingReport) -> None:
        """Write the page and its figures; raise `StimgenError` if matplotlib is not installed."""
        import_optional("matplotlib.figure", "analysis", OPTION)
        measure = "CIELAB L*" if report.settings.colour == "lab" else "luminance, encoded as sRGB"
        figures = {
            "histograms": (
                "Histograms",
                "Grey: single pictures; black: their mean.",
                draw_histograms(self._curves, measure, OPTION),
            ),
            "spectra": (
                "Amplitude spectra",
                "Root mean square amplitude over orientations. Grey: single pictures; black: their mean.",
                draw_spectra(self._curves, OPTION),
            ),
            "deviations": (
                "Measures",
                "Every line is a picture. White is 1. The written files were measured.",
                draw_deviations(report.pictures, OPTION),
            ),
        }
        (folder / FIGURES).mkdir()
        drawn = []
        for key, (heading, caption, figure) in figures.items():
            data = _draw_svg(figure)
            (folder / FIGURES / f"{key}.svg").write_bytes(data)
            drawn.append((heading, caption, data))
        papers = References(resolve_papers(PAPERS)).lines()
        page = MatchingPage(title, report, drawn, self._pairs, papers)
        (folder / name).write_bytes(format_matching_page(page))


def _draw_svg(figure: Any) -> bytes:
    buffer, matplotlib = io.BytesIO(), import_optional("matplotlib", "analysis", OPTION)
    with matplotlib.rc_context({"svg.hashsalt": "stimgen"}):  # the same names inside, every time
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
