"""Pooling regions: where a statistic is pooled. One file a layout."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.statistics.regions.base import Pooling, PoolingWindow, Positions, Regions, find_strongest_regions

REGIONS = Family("layout of regions", Regions, default="grid")
AnyRegions = Annotated[Regions, REGIONS]

__all__ = [
    "REGIONS",
    "AnyRegions",
    "Pooling",
    "Positions",
    "Regions",
    "PoolingWindow",
    "find_strongest_regions",
]
