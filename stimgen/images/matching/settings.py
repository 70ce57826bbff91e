"""Defines what is matched across a set of pictures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stimgen.reading.model import Integer, Model, Number, validation_error


class SetMatching(Model):
    """Says what all pictures of a set get from the set's mean."""

    luminance: Literal["histogram", "moments", "none"] = "histogram"
    """``histogram``: exactly the mean histogram (Coltuc, Bolon & Chassery 2006); ``moments``: mean and
    standard deviation; both over masks."""
    spectrum: Literal["rotational", "full", "none"] = "none"
    """``rotational``: the mean amplitude at every spatial frequency; ``full``: at every frequency and
    orientation. Pictures must have one size and no masks."""
    colour: Literal["luminance", "lab"] = "luminance"
    """``luminance``: matches the luminance, and scales the light of all channels by the same factor; ``lab``:
    matches CIELAB L*, and keeps a* and b*."""
    ssim: Annotated[Integer, Field(ge=0, le=100)] = 0
    """Steps by which every histogram is matched again so that structural similarity rises (Avanaki 2009)."""
    iterations: Annotated[Integer, Field(ge=1, le=500)] = 50
    """How often spectrum and luminance are matched in turn, at the most, if both are."""
    tolerance: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.01
    """Deviation of the spectrum at which both hold: root mean squared difference relative to the target."""
    contrast: Annotated[Number, Field(gt=0.0, le=1.0)] = 1.0
    """Factor of the target's contrast, so that spectra and moments fit between black and white."""
    clipping: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.001
    """Largest part of a picture's values that may be clipped."""

    @model_validator(mode="after")
    def _refuse_nothing(self) -> SetMatching:
        if self.luminance == self.spectrum == "none":
            raise validation_error("neither luminance nor spectrum is matched", at="luminance")
        if self.ssim and self.luminance != "histogram":
            raise validation_error("`ssim` is for `luminance: histogram`", at="ssim")
        return self

    @property
    def matches_spectrum(self) -> bool:
        """Return whether spectra are matched."""
        return self.spectrum != "none"

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines what matching does, for identities."""
        return self.model_dump(mode="json", exclude={"clipping"})
