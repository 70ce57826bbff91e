"""Offers the layouts of pooling regions, in which statistics are pooled, one file each."""

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
    "PoolingWindow",
    "Positions",
    "Regions",
    "find_strongest_regions",
]
