"""Changes pictures before they are measured or shown. Every step is one file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stimgen.images.steps.base import GeometryStep, ImageStep, MatchingStep
from stimgen.reading.registry import Family

STEPS = Family("step", ImageStep, default="flat_top")
AnyStep = Annotated[ImageStep, STEPS]
Steps = Annotated[tuple[AnyStep, ...], Field(max_length=20)]

__all__ = ["STEPS", "AnyStep", "GeometryStep", "ImageStep", "MatchingStep", "Steps"]
