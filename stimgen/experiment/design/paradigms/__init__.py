"""Holds the paradigms, which define what an observer is asked; each is one file."""

from __future__ import annotations

from typing import Annotated

from stimgen.experiment.design.paradigms.base import Arrangement, Paradigm, PicturePlace, PictureSlot
from stimgen.reading.registry import Family

PARADIGMS = Family("paradigm", Paradigm, default="oddity")
AnyParadigm = Annotated[Paradigm, PARADIGMS]

__all__ = ["PARADIGMS", "AnyParadigm", "Arrangement", "Paradigm", "PicturePlace", "PictureSlot"]
