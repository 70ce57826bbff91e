"""Offers the statistics that turn feature maps into a distance from a target, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.statistics.base import LayerSize, LayerStatistic, RandomKey, Statistic, Target

STATISTICS = Family("statistic", Statistic, default="gram")
AnyStatistic = Annotated[Statistic, STATISTICS]

__all__ = ["STATISTICS", "AnyStatistic", "LayerSize", "LayerStatistic", "RandomKey", "Statistic", "Target"]
