"""Contains the start images of a synthesis, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.starts.base import Start

STARTS = Family("start", Start, default="noise")
AnyStart = Annotated[Start, STARTS]

__all__ = ["STARTS", "AnyStart", "Start"]
