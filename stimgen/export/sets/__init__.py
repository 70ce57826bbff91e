"""Exports sets to formats of others: one file per format."""

from __future__ import annotations

from stimgen.export.sets.base import Exporter
from stimgen.reading.registry import Family

EXPORTERS = Family("format", Exporter, default="zip")

__all__ = ["EXPORTERS", "Exporter"]
