"""The page that shows a set: one file, nothing from elsewhere."""

from __future__ import annotations

from stimgen.report.page import MAX_STIMULI, write_page

__all__ = ["MAX_STIMULI", "write_page"]
