"""The page that shows a set: one file, nothing from elsewhere."""

from __future__ import annotations

from stimgen.report.page import MOST, write_page

__all__ = ["MOST", "write_page"]
