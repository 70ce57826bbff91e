"""Defines the key `matching` of protocols."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stimgen.images.matching import SetMatching
from stimgen.reading.model import Label


class SourceMatching(SetMatching):
    """Says what sources and references get from the mean of sources, after the steps of `before`."""

    pictures: Annotated[tuple[Label, ...], Field(min_length=2)] | None = None
    """Ids of the sources whose mean is the target; all sources if left out, and then a further source
    changes all stimuli."""

    @property
    def settings(self) -> SetMatching:
        """Return what is matched, without the pictures."""
        return SetMatching(**{name: getattr(self, name) for name in SetMatching.model_fields})
