"""Writes the page of an analysis: one file that loads nothing else."""

from __future__ import annotations

from stimgen.analysis.page.page import AnalysisPage, format_page

__all__ = ["AnalysisPage", "format_page"]
