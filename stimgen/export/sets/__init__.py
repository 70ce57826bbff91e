"""Sets in the formats of others: one file a format."""

from __future__ import annotations

from stimgen.export.sets.base import Exporter
from stimgen.reading.registry import Family

EXPORTERS = Family("format", Exporter, default="zip")

__all__ = ["EXPORTERS", "Exporter"]
