"""Writes the page that shows a set: one file that loads nothing else."""

from __future__ import annotations

from stimgen.report.page import MAX_STIMULI, write_page

__all__ = ["MAX_STIMULI", "write_page"]
